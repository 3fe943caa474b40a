"""Show a training while it goes on: a thread that brings surfaces and figures to a page.

The loop that trains hands over what there is and goes on; it never waits for the thread, nor that for a
browser. Of surfaces that came while one was made ready, the newest is shown; all are on the slider.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

import numpy as np

from creased.viewer.page import Page
from creased.viewer.sources import Shot

log = logging.getLogger(__name__)

INTERVAL = 1.0  # seconds between two updates of the figures
LINE = {"stroke": "#0072b2", "width": 2}
AXES = ({"size": 30}, {"size": 76})


class LivePage:
    """A page with the loss and the number of faces, fed by `lose` and `offer`.

    Args:
        page: without shots.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self._losses: list[tuple[int, float]] = []  # by step
        self._faces: list[tuple[int, int]] = []  # by epoch
        self._waiting: list[Shot] = []
        self._wake, self._is_ended = threading.Event(), False
        self._drawn = (0, 0)  # lengths of what the charts show
        self._status = page.server.gui.add_markdown("", order=-2)
        self._charts = [self._chart("loss, by step", log_scale=True), self._chart("faces, by epoch")]
        self._thread = threading.Thread(target=self._serve, daemon=True, name="creased-live")
        self._thread.start()

    def lose(self, step: int, loss: float) -> None:
        """Note the loss of a step."""
        self._losses.append((step, loss))

    def offer(self, shot: Shot, n_faces: int) -> None:
        """Bring the surface of an epoch; none is kept once the page shows no more."""
        if not self._thread.is_alive():
            return
        self._faces.append((shot.epoch or len(self._faces) + 1, n_faces))
        self._waiting.append(shot)
        self._wake.set()

    def stop(self, seconds: float = 5.0) -> None:
        """Show what is left, within some seconds, and close the server."""
        self._is_ended = True
        self._wake.set()
        self._thread.join(seconds)
        self.page.stop()

    def _serve(self) -> None:
        while not self._is_ended or self._waiting:
            self._wake.wait(INTERVAL)
            self._wake.clear()
            try:
                self._show()
            except Exception as error:  # whatever it is, training goes on
                log.warning("the live page shows no more: %s: %s", type(error).__name__, error)
                return

    def _show(self) -> None:
        n = len(self._waiting)
        waiting, self._waiting[:n] = self._waiting[:n], []
        if waiting:
            self.page.add(*waiting)
        sizes = len(self._losses), len(self._faces)
        if sizes == self._drawn:
            return
        self._drawn = sizes
        series: list[Any] = [self._losses, self._faces]
        for chart, values in zip(self._charts, series, strict=True):
            x, y = np.array(values[:], dtype=np.float64).reshape(-1, 2).T
            chart.visible, chart.data = len(x) > 1, (x, y)
        words = [f"step {self._losses[-1][0]:,}, loss {self._losses[-1][1]:.5g}"] if self._losses else []
        words += [f"epoch {self._faces[-1][0]}, {self._faces[-1][1]:,} faces"] if self._faces else []
        self._status.content = "**training**: " + "; ".join(words)

    def _chart(self, title: str, *, log_scale: bool = False) -> Any:
        scales = {"x": {"time": False}, "y": {"distr": 3} if log_scale else {}}
        empty = np.zeros(1), np.ones(1)
        options: Any = {"scales": scales, "axes": AXES, "legend": {"show": False}, "series": ({}, LINE)}
        return self.page.server.gui.add_uplot(
            empty, title=title, aspect=2.2, padding=(12, 24, 0, 0), visible=False, order=-1, **options
        )
