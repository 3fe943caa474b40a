"""Figures that plotly draws, one file a kind of object: `creased.viewer.figure` chooses among them.

Each `show_*` function turns an object into a `Picture` of plain traces, with a text to hover over: signs,
affine maps, neurons. `traces` knows plotly, `hover` the texts. Layers are counted from 1, as in the legends,
neurons from 0.
"""
