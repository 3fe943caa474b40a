"""Refuse requests that a foreign page makes of a server on the loopback interface.

A browser lets any page open a websocket to any address, and names the page in the header ``Origin``; a page
whose name was made to resolve to the loopback address gives itself away in the header ``Host``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from inspect import isawaitable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

    Answer = Response | None
    ProcessRequest = Callable[[ServerConnection, Request], Awaitable[Answer] | Answer]

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_own(host: str | None, origin: str | None) -> bool:
    """Tell if a request is of a page of the loopback server itself, or of no page.

    Args:
        host: the header that names the server; with its port.
        origin: the header that names the page; None where no browser asks.
    """
    if host is None or urlsplit(f"//{host}").hostname not in LOOPBACK:
        return False
    return origin is None or urlsplit(origin).netloc == host


@contextmanager
def own_pages_only() -> Iterator[None]:
    """Servers that `websockets` starts meanwhile answer their own pages only."""
    from websockets.asyncio import server

    serve = server.serve

    def guarded(*args: Any, process_request: ProcessRequest | None = None, **options: Any) -> Any:
        return serve(*args, process_request=partial(_answer, process_request), **options)

    server.serve = guarded  # type: ignore[assignment,misc]
    try:
        yield
    finally:
        server.serve = serve  # type: ignore[misc]


async def _answer(ask: ProcessRequest | None, connection: ServerConnection, request: Request) -> Answer:
    if not is_own(request.headers.get("Host"), request.headers.get("Origin")):
        return connection.respond(HTTPStatus.FORBIDDEN, "pages of another origin are refused\n")
    answer = None if ask is None else ask(connection, request)
    return await answer if isawaitable(answer) else answer
