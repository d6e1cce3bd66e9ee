"""Database threads, each with a connection of its own: nothing to check out, nothing to share."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar


class _Closable(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=_Closable)


class DatabaseThreads(Generic[C]):
    """A few threads; each connects when it first needs to, and again after ``drop``.

    Args:
        connect: makes a connection; raises StoreUnavailable.
    """

    def __init__(self, connect: Callable[[], C], count: int, name: str) -> None:
        self._connect = connect
        self._count = count
        self._name = name
        self._local = threading.local()
        self._connections: set[C] = set()

    def open(self) -> None:
        self.executor = ThreadPoolExecutor(self._count, thread_name_prefix=self._name)

    def connection(self) -> C:
        """The connection of the present thread."""
        connection: C | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
            self._connections.add(connection)
        return connection

    def drop(self) -> None:
        """Close the present thread's connection, which is broken."""
        connection: C = self._local.connection
        self._local.connection = None
        self._connections.discard(connection)
        connection.close()

    def close(self) -> None:
        """Let what runs or waits end, then close the connections. Blocks."""
        self.executor.shutdown()
        for connection in self._connections:
            connection.close()
        self._connections.clear()
