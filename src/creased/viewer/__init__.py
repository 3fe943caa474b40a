"""Interactive views of surfaces: a page in the browser (viser), and figures in notebooks (plotly).

`sources` reads a run, a checkpoint, a network file or a mesh file; `scene` turns level sets and plane
sections into arrays and colours; `page` and `figure` show them. The page listens on the loopback interface
only.
"""
