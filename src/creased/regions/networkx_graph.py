"""The dual graph for networkx, with what is known of regions and facets as attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creased.extras import how_to_install
from creased.regions.rows import name_row, neuron_of

if TYPE_CHECKING:
    from creased.regions.region_graph import RegionGraph


def as_networkx(graph: RegionGraph) -> Any:
    """Convert to a `networkx.Graph`; see `RegionGraph.to_networkx`."""
    try:
        import networkx
    except ImportError as error:
        raise ImportError(f"to_networkx needs networkx: {how_to_install('shapes')}") from error
    signs, maps = graph.regions.sign_vectors().tolist(), graph.maps
    slopes, constants = maps[:, :-1].mT.tolist(), maps[:, -1].tolist()
    columns = zip(signs, slopes, constants, graph.volumes.tolist(), strict=True)
    found = networkx.Graph()
    found.add_nodes_from(
        (region, {"signs": tuple(s), "slopes": slope, "constant": constant, "volume": volume})
        for region, (s, slope, constant, volume) in enumerate(columns)
    )
    layout = graph.regions.layout
    found.add_edges_from(
        (first, second, {"row": row, "neuron": neuron_of(layout, row), "name": name_row(layout, row)})
        for (first, second), row in zip(graph.pairs.tolist(), graph.rows.tolist(), strict=True)
    )
    return found
