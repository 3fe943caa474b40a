"""Lowering: rewrite a torch module as a `Program`, or name the part that is not supported.

`plain` composes nested Sequentials of Linear, ReLU and LeakyReLU directly. `trace` runs any other module on
`proxy` tensors; the `recorder` dispatches each call to `operators`, which records affine steps and
rectifications on the tape of `graph`; `graph` then schedules them into blocks and writes the blocks. Imports
point that way only.
"""
