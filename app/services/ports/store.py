"""The store: transactions, the bytes of attachments, and the key that keeps secrets closed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from app.services.ports.tx import Tx

T = TypeVar("T")


class Store(Protocol):
    """Transactions, each run whole in a database thread.

    A function given to ``run`` may be called more than once (a lost race is tried again), so it has no effect outside
    its ``Tx`` and makes no ids: they come from ``command_id``.
    """

    async def run(
        self,
        use_case: Callable[[Tx], T],
        *,
        command_id: str | None = None,
        after_commit: Callable[[T], None] | None = None,
    ) -> T:
        """Commit what ``use_case`` did, then return its result. An exception of ``use_case`` rolls back its own writes
        and reaches the caller.

        ``after_commit(result)`` is called on the event loop once the commit is durable, in commit order on SQLite, also
        when the caller was cancelled meanwhile. Raises:
            StoreUnavailable: nothing was committed and nothing acknowledged (queue full, disk full, database gone).
        """

    async def read(self, query: Callable[[Tx], T]) -> T:
        """Run a query in one read-only snapshot, beside the writers."""

    def now_ms(self) -> int:
        """The time all nodes agree on, without asking the database."""

    @property
    def is_shared(self) -> bool:
        """Other processes may serve from the same database."""

    @property
    def stats(self) -> "StoreStats":
        """Counters for the metrics."""

    async def open(self) -> None: ...
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class StoreStats:
    """``waiting`` transactions and queries are in the store now; the others count since the start.

    ``transactions`` were committed, in ``commits`` of the database: several at once where it commits in groups.
    """

    waiting: int
    transactions: int
    commits: int


class BlobStore(Protocol):
    """Bytes of attachments: written once, read in ranges, deleted."""

    async def write(self, blob_id: str, chunks: Any, *, max_bytes: int) -> "BlobInfo":
        """Store an async iterable of ``bytes``. Nothing is visible before the last chunk was stored, and nothing is
        left after a failure. Raises QuotaExceeded beyond ``max_bytes``; Conflict when the id is taken."""

    def read(self, blob_id: str, start: int = 0, stop: int | None = None) -> Any:
        """An async iterator over the bytes ``[start, stop)`` in pieces of at most 256 KiB. Raises NotFound."""

    async def info(self, blob_id: str) -> "BlobInfo":
        """Raises NotFound."""

    async def delete(self, blob_id: str) -> None:
        """Idempotent."""


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """Size in bytes and SHA-256 (hex) of a blob."""

    size: int
    sha256: str


class Vault(Protocol):
    """Keeps secrets of the database closed to whoever has only the database."""

    def seal(self, secret: bytes) -> bytes:
        """Encrypt what is to be stored."""

    def open(self, stored: bytes) -> bytes:
        """What was sealed. Raises StoreUnavailable when it was sealed under another key."""
