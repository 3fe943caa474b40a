"""Extraction by subdivision: a problem, cut whole or in pieces, pruned by certified bounds.

A problem is checked once. Where it would outgrow its memory it is divided by regions, depth first, and pieces
are merged by codes. Regions on which a bound proves that the output keeps its sign are dropped: the bound is
the proof that nothing is missing.
"""
