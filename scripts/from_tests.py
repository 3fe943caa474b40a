"""Lend networks and oracles of the tests, which are not installed, to the scripts."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.oracles import true_cells_of
from tests.strategies import random_program
from tests.tropical.nets import named

__all__ = ["named", "random_program", "true_cells_of"]
