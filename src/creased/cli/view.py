"""`creased view`: serve a page that shows a run, a network or a mesh, until Ctrl-C."""

from __future__ import annotations

import argparse
import threading
import webbrowser
from functools import partial
from typing import Any

from creased.cli.slices import load_chosen
from creased.viewer.page import Page
from creased.viewer.sources import shape_of_run, shots_of


def view(chosen: argparse.Namespace) -> None:
    """Start the page, print its address, and wait for Ctrl-C.

    Raises:
        CheckpointError: the path holds nothing to show.
        ImportError: viser is not installed.
    """
    try:
        options = {name: getattr(chosen, name) for name in ("half_width", "level", "offset", "output")}
        shots = shots_of(chosen.file, load=partial(load_chosen, chosen=chosen), **options)
        is_run = chosen.file.is_dir()
        more: dict[str, Any] = {"shape": lambda: shape_of_run(chosen.file)} if is_run else {}
        page = Page(shots, chosen.port, chosen.up, **more)
    except KeyboardInterrupt:
        return
    try:
        print(f"{page.shots[-1].scene.caption}\n{page.url}  (Ctrl-C ends it)", flush=True)
        if chosen.open:
            webbrowser.open(page.url)
        threading.Event().wait()
    except KeyboardInterrupt:
        print()
    finally:
        page.stop()
