"""Counting and compressing a network of 64 inputs listed the 2^64 corners of its box, and never ended."""

from __future__ import annotations

from creased import Box
from creased.tropical import compress
from creased.tropical.cells.report import count_table
from tests.strategies import random_program

PROGRAM, BOX = random_program(64, (8, 8), seed=1), Box.cube(64, 0.001)


def test_counting_says_why_it_cannot_and_gives_the_bounds() -> None:
    table = count_table(PROGRAM, BOX)
    assert "not counted" in table
    assert "Serra 2018" in table


def test_compression_lists_no_corners() -> None:
    smaller, certificate = compress(PROGRAM, BOX)
    assert smaller.n_neurons < PROGRAM.n_neurons
    assert "interval and linear bounds" in certificate.stability
