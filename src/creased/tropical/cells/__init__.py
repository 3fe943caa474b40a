"""Cells of a network: found in integers or by the engine, counted, bounded, and around data points."""
