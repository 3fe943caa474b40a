"""Still pictures of meshes, made on the CPU by casting rays: no window, no GPU.

A camera casts primary rays; light is a key light, ambient occlusion and the colour of the sky; images are
saved and laid out in sheets.
"""
