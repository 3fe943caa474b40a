"""Operators that can be lowered, one family a file: what each does to the symbolic values on the tape."""
