"""Certificates: proofs that an extracted complex or level set is combinatorially right.

Signs of all rows at all vertices are proven by a floating-point filter with rigorous error bounds, and in
rationals where it leaves a doubt; every edge that has to leave a vertex is checked.
"""
