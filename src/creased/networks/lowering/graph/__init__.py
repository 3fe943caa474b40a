"""The computation graph of a traced module, and its way into blocks.

A `Tape` records affine steps and rectifications on symbolic `Value`s. `schedule` assigns each step to a block
and chooses the state between blocks by minimum vertex cuts; `write` runs a schedule on the live weights and
returns a `Program`. `refusals` holds the messages for unsupported parts. Nothing here imports `operators`.
"""
