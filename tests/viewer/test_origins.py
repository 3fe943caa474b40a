"""Pages of other origins are refused by the server of the page."""

from __future__ import annotations

from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

pytest.importorskip("viser")

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from creased.viewer.origins import is_own
from creased.viewer.page import Page
from creased.viewer.server import HOST
from tests.viewer.nets import tiny_shot
from tests.viewer.test_page import free_port


@pytest.mark.parametrize(
    ("host", "origin", "expected"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080", True),
        ("localhost:8080", "http://localhost:8080", True),
        ("[::1]:8080", "http://[::1]:8080", True),
        ("127.0.0.1:8080", None, True),
        ("127.0.0.1:8080", "http://evil.example", False),
        ("127.0.0.1:8080", "http://127.0.0.1:9999", False),
        ("127.0.0.1:8080", "null", False),
        ("evil.example:8080", "http://evil.example:8080", False),
        ("127.0.0.1.evil.example", None, False),
        (None, None, False),
    ],
)
def test_only_pages_of_the_server_itself_are_its_own(
    host: str | None, origin: str | None, expected: bool
) -> None:
    assert is_own(host, origin) == expected


def test_foreign_pages_are_refused() -> None:
    page = Page([tiny_shot(3)], free_port())
    address = urlsplit(page.url).netloc
    try:
        with connect(f"ws://{address}", origin=f"http://{address}", subprotocols=["viser-v0"]) as socket:
            assert socket.response is not None
        with pytest.raises(InvalidStatus, match="403"):
            connect(f"ws://{address}", origin="http://evil.example", subprotocols=["viser-v0"])
        statuses = []
        for host in (address, "evil.example"):
            asked = HTTPConnection(HOST, int(address.rpartition(":")[2]), timeout=10)
            asked.request("GET", "/", headers={"Host": host})
            statuses.append(asked.getresponse().status)
            asked.close()
        assert statuses == [200, 403]
    finally:
        page.stop()
