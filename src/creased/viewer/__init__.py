"""Interactive views: a page of surfaces in the browser (viser), and figures in notebooks (plotly).

`sources` reads a run, a checkpoint, a network file or a mesh file; `scene` turns level sets and plane
sections into arrays and colours; `page` shows them. `figure` draws them and all other objects, by `figures`.
The page listens on the loopback interface only.
"""
