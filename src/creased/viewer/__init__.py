"""Surfaces to turn around: a page on this machine (viser), and figures in notebooks (plotly).

A source is a run, a checkpoint, a network file or a mesh; a scene is what is drawn of it. The page listens on
loopback only.
"""
