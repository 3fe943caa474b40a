"""Still pictures of meshes, made on the CPU by casting rays: no window, no GPU.

`render` makes pictures of level sets: `camera` frames the domain, `raycast` finds what each pixel shows,
`shading` lights it (key, fill and rim lights, and a sky dimmed by `ambient_occlusion`) and draws creases.
`images` saves pictures and lays them out in sheets; `error_picture` shows a shape beside its mesh, and the
distances between them.
"""
