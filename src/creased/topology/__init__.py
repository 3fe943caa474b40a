"""Topology of networks: Betti numbers of sublevel, superlevel and level sets, and persistent homology.

A network's complex is a regular cell complex on which its function is affine cell by cell, so that the order
of its values at the vertices decides all homology. `cell_complexes` has cells and facets, from codes alone;
`vertex_values` exact signs at the vertices; `sublevel_filtration` why these suffice; `discrete_morse` reduces
some hundred thousand cells to some dozens, of which `persistence` pairs births and deaths. On a grid this is
done slab by slab: `critical_cells` puts them together along planes, of which `plane_cells` orders the cells.

Where the complex would be large, Betti numbers come from the level set: `level_set_sides` has the reasoning,
`enclosure` the orientation of its components, `capping` closes it along the walls. `betti` and `diagrams` are
the doors, `problem` what they are asked, `report` the text of the command line.
"""

from creased.topology.betti import betti_numbers
from creased.topology.diagrams import PersistenceDiagram, persistence

__all__ = ["PersistenceDiagram", "betti_numbers", "persistence"]
