"""Compare a trained function with a shape: `measure` computes the metrics, `table` formats them for people.

`checkpoint` evaluates the record of a checkpoint against the shape of its run or another, as `creased eval`
does; `advice` names options that bring a mesh nearer to its shape.
"""
