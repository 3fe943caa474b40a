"""The graph of a module: traced with proxies onto a tape, scheduled into blocks by minimum vertex cuts, written as a program."""
