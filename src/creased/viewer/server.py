"""Start viser's server on the loopback interface, for its own pages alone."""

from __future__ import annotations

import logging
from contextlib import redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING

from creased.extras import how_to_install
from creased.viewer.origins import own_pages_only

if TYPE_CHECKING:
    import viser

HOST = "127.0.0.1"  # the loopback interface alone, as the page has no access control beyond `origins`


def start_server(port: int) -> viser.ViserServer:
    """Start a server on a port or, if that is taken, on the next free one.

    Raises:
        ImportError: viser is not installed.
    """
    try:
        import viser
    except ImportError as error:
        raise ImportError(f"creased view needs viser: {how_to_install('view')}") from error
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # not of closed connections
    # Its banner is not suppressed by verbose=False, and it has no option for origins.
    with redirect_stdout(StringIO()), own_pages_only():
        return viser.ViserServer(host=HOST, port=port, label="creased", verbose=False)


def stop_server(server: viser.ViserServer) -> None:
    """Close the server."""
    with redirect_stdout(StringIO()):
        server.stop()
