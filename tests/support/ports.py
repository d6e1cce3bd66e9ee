"""Free TCP ports and waiting for somebody to listen on one."""

import socket
import time

from tests.support.deadlines import POLL_S

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Return a port on 127.0.0.1 that nobody listens on now.

    Another process may take it before the caller does: whoever starts a server on it retries with a new port when the
    server ends at once. Where the code under test can bind port 0 itself, prefer that.
    """
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def is_listening(port: int) -> bool:
    """Tell whether a connection to the port on 127.0.0.1 is accepted."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def wait_until_closed(port: int, timeout_s: float) -> None:
    """Wait until nobody listens on the port; raise `TimeoutError` when somebody still does."""
    end = time.monotonic() + timeout_s
    while is_listening(port):
        if time.monotonic() > end:
            raise TimeoutError(f"port {port} is still open after {timeout_s} s")
        time.sleep(POLL_S)
