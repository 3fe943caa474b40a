"""The graph of a module, and how it becomes a program.

It is traced with proxies onto a tape, scheduled into blocks by minimum vertex cuts, and written out.
"""
