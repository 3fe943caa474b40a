"""Scripts that draw, time, check and compare, one folder for each of these; they are not installed.

Each is run as a module from the root of the repository, and says by ``--help`` what it does:

    ./run python -m scripts.pictures.accuracy RUN

`on_gpu.py`, `bench_extraction.py` and `time_certify.py` also run by their paths, with the package on
PYTHONPATH where it is not installed; `notebook_pages.py` is loaded by mkdocs.
"""

from pathlib import Path

ROOT = Path(__file__).parents[1]  # of the repository
