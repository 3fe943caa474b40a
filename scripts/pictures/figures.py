"""Draw interactive figures as they look in a notebook, by a headless Chromium.

    ./run python -m scripts.pictures.figures --out docs/pictures

Of the objects of docs/objects.md, and of a level set in space: of a small network that is fitted to a torus
and a ball. Writes figure_NAME.png for each. Plotly's own export needs a package more.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from PIL import Image, ImageOps

import creased
from creased import tropical
from scripts.common.figures import flatten_png
from scripts.common.networks import fit_network, torus_and_ball
from scripts.common.options import make_parser

SIZE = (720, 540)  # pixels
MARGIN = {"t": 50, "b": 40, "l": 50, "r": 10}  # of what is drawn
AROUND, EDGE = 100, 8  # pixels of the window around it, and of the edge of a page
WAIT = 8000  # milliseconds of a page's own time, for scripts and WebGL
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless", "--no-sandbox", "--hide-scrollbars", "--use-angle=swiftshader")
FLAGS += ("--enable-unsafe-swiftshader", f"--virtual-time-budget={WAIT}")
LABELED = [(0, 0), (0, 1), (1, 0), (1, 1)]


def main() -> None:
    """Make the figures and take their pictures."""
    parser = make_parser(__doc__, "docs/pictures")
    parser.add_argument("--only", nargs="+", help="names of figures")
    chosen = parser.parse_args()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        parser.error(f"no browser found: install one of {', '.join(BROWSERS)}")
    for name, figure in _figures():
        if not chosen.only or name in chosen.only:
            path = chosen.out / f"figure_{name}.png"
            _take_picture(browser, figure, path)
            print(f"{path}: {figure.layout.title.text}, {path.stat().st_size / 1000:.0f} kB", flush=True)


def _figures() -> Iterator[tuple[str, Any]]:
    torch.manual_seed(0)
    network, box = creased.MLP(in_dim=2, width=5, depth=2).double(), creased.Box.cube(2, 1)
    program = creased.lower(network).detach()
    yield "complex", creased.figure(creased.extract_complex(program, box, level=0.2286), program=program)
    rational = tropical.TropicalRational.from_program(program)
    yield "curve", creased.figure(tropical.dual_subdivision(rational.numerator))
    layer = creased.lower(creased.MLP(in_dim=2, width=5, depth=1))
    yield "zonotope", creased.figure(tropical.zonotope_of_layer(layer))
    yield "fan", creased.figure(tropical.classification_fan(LABELED, 2, 1))
    solid = creased.lower(fit_network(3, (2, 24), torus_and_ball, 1e-2, 400).double()).detach()
    surface = creased.extract_level_set(solid, creased.Box.cube(3, 0.5))
    yield "level_set", creased.figure(surface, program=solid)


def _take_picture(browser: str, figure: Any, path: Path) -> None:
    figure.update_layout(width=SIZE[0], height=SIZE[1], margin=MARGIN)
    with TemporaryDirectory() as folder:
        page, drawn = Path(folder) / "page.html", Path(folder) / "page.png"
        figure.write_html(page, config={"displayModeBar": False})
        window = ",".join(str(side + AROUND) for side in SIZE)
        places = (f"--user-data-dir={folder}/profile", f"--window-size={window}", f"--screenshot={drawn}")
        command = [browser, *FLAGS, *places, page.as_uri()]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603
        with Image.open(drawn) as image:
            shown = image.convert("RGB").crop((EDGE, EDGE, EDGE + SIZE[0], EDGE + SIZE[1]))
        lowest = ImageOps.invert(shown).getbbox()[3]  # what is below is white
        shown.crop((0, 0, SIZE[0], lowest + EDGE)).save(drawn)
        flatten_png(drawn, path)


if __name__ == "__main__":
    main()
