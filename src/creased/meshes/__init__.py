"""Meshes as data, without gradients: polygons in memory, audited, capped, queried and decimated.

`PolygonMesh` is the common form. `caps` closes surfaces along the walls of the domain; `mesh_audit` and
`self_intersections` check a mesh as it is written, the latter in exact arithmetic. `queries` answers
distances and rays by warp-lang.
"""
