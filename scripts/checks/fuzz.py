"""Test random networks on random domains until one fails: ``python -m scripts.checks.fuzz --minutes 30``.

A failure is shrunk and printed as a test to paste into tests/regressions/.
"""

from __future__ import annotations

import sys

import torch

from scripts.common.options import make_parser
from tests.fuzz.search import search


def main() -> int:
    """Search and print a report; return 1 after a failure."""
    parser = make_parser(__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, help="of the first cases; the time by default")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found = search(60 * arguments.minutes, arguments.seed)
    print(found.report())
    return int(found.failure is not None)


if __name__ == "__main__":
    sys.exit(main())
