"""A headless Chromium, asked over its own protocol for pictures of a page."""

from __future__ import annotations

import base64
import io
import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from websockets.sync.client import connect

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
]


def find_chromium() -> str | None:
    """Where it is, if it is there."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next((path for path in found if path), None)


class Browser:
    """A window on one page; closed by leaving the block."""

    def __init__(self, url: str, folder: Path, size: tuple[int, int] = (900, 600)) -> None:
        program = find_chromium()
        assert program is not None
        self.folder, window = folder, f"--window-size={size[0]},{size[1]}"
        command = [program, *FLAGS, f"--user-data-dir={folder}", window, url]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._ids = itertools.count(1)

    def __enter__(self) -> Browser:
        try:
            self._socket = connect(self._find_page(), max_size=None)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._end()

    def _end(self) -> None:
        self.process.terminate()
        self.process.wait(20)

    def _find_page(self, patience: float = 40.0) -> str:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            time.sleep(0.2)
            try:
                port = (self.folder / "DevToolsActivePort").read_text().split()[0]
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=5) as answer:
                    pages = [target for target in json.load(answer) if target["type"] == "page"]
            except (OSError, IndexError):
                continue
            if pages:
                return str(pages[0]["webSocketDebuggerUrl"])
        raise TimeoutError("the browser did not start")

    def _ask(self, method: str, **parameters: object) -> dict[str, Any]:
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(60))
            if answer.get("id") == number:
                result: dict[str, Any] = answer["result"]
                return result

    def dismiss_notices(self) -> None:
        """Close what the page says of rendering without a GPU, which hides a part of it."""
        script = "document.querySelectorAll('.mantine-Notification-closeButton').forEach(b => b.click())"
        self._ask("Runtime.evaluate", expression=script)

    def picture(self) -> np.ndarray:
        """What is on the page now, (H, W, 3) uint8."""
        from PIL import Image

        data = base64.b64decode(self._ask("Page.captureScreenshot", format="png")["data"])
        with Image.open(io.BytesIO(data)) as picture:
            return np.asarray(picture.convert("RGB"))
