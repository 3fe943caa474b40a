"""What `creased.lower` is made of: a trace of a module, its plan in blocks, and the blocks written down."""
