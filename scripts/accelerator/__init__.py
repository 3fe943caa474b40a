"""Parts of `on_gpu.py`: what a device has to give alike, what it costs there, and where its time goes.

`bench` times, guards and collects; `networks` loads or fits what is measured. `equality` compares with the
CPU, `extractions` and `training` are timed, `launches` counts kernels and synchronisations.
"""
