"""Parsed diagram versions, kept so that a job action does not parse its diagram again."""

from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock

from app.services.ports import DiagramRecord


class DiagramCache:
    """The last used activated versions, by the key of their row. Shared by all threads of a store.

    Only committed rows may come in: a key given out in a transaction that is rolled back is given out again on SQLite,
    for other contents. Version numbers would not do either: one that was deleted may come again.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._records: OrderedDict[int, DiagramRecord] = OrderedDict()
        self._lock = Lock()

    def get(self, version_key: int) -> DiagramRecord | None:
        with self._lock:
            record = self._records.get(version_key)
            if record is not None:
                self._records.move_to_end(version_key)
            return record

    def add(self, committed: Mapping[int, DiagramRecord]) -> None:
        """Keep what a transaction has parsed; call after its commit."""
        with self._lock:
            for key, record in committed.items():
                self._records[key] = record
                self._records.move_to_end(key)
            while len(self._records) > self._size:
                self._records.popitem(last=False)
