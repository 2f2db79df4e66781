"""The server of the page: it listens on this machine alone, and brings every file that the page needs."""

import socket
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gradtheory.errors import InvalidArgument, extra
from gradtheory.explorer.workers import Workers

_QUICK, _SLOW = 60.0, 180.0  # seconds that an answer may take


@contextmanager
def serving(port: int = 0) -> Iterator[Any]:
    """Serve the page at http://localhost:PORT, and yield the server of Bokeh, which has that port.

    Parameters
    ----------
    port : int
        Where to listen; a free port by default.

    Raises
    ------
    MissingDependency
        If Bokeh is not installed.
    InvalidArgument
        If the port is taken.

    """
    with extra("explorer"):
        from bokeh.server.server import Server
    from gradtheory.explorer.page import Page

    try:
        socket.create_server(("127.0.0.1", port)).close()  # Bokeh leaves a socket open where it cannot listen
    except OSError as error:
        raise InvalidArgument("port", port, f"must be one that is free ({error.strerror})") from None
    quick, slow = Workers(_QUICK), Workers(_SLOW)

    def make(document: Any) -> None:
        arguments = document.session_context.request.arguments
        query = {name: values[-1].decode("utf-8", "replace") for name, values in arguments.items()}
        Page(document, query, quick, slow)

    try:
        server = Server({"/": make}, port=port, address="127.0.0.1")
        server.start()
        yield server
        server.stop()
    finally:
        quick.close()
        slow.close()


def explore(port: int = 0, query: str = "", *, opens: bool = True) -> None:
    """Serve the page until it is interrupted, and open it in the browser."""
    with serving(port) as server:
        address = f"http://localhost:{server.port}/{query}"
        print(address, flush=True)
        if opens:
            server.io_loop.add_callback(webbrowser.open, address)
        try:
            server.io_loop.start()
        except KeyboardInterrupt:
            print()
