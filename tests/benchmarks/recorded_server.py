"""``python -m tests.benchmarks.recorded_server FILE ...``: the server; what it writes is noted and put into FILE.

What follows FILE are the arguments of ``python -m app``. FILE is a pickle of ``recording.Recorded``.
"""

import pickle
import runpy
import sys
from pathlib import Path

from app.store import sqlite
from tests.benchmarks.recording import RecordedStore


def main() -> None:
    """Serve until the process is told to end."""
    file = Path(sys.argv.pop(1))
    stores: list[RecordedStore] = []

    class NotedStore(RecordedStore):
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, **options)
            stores.append(self)

    sqlite.SqliteStore = NotedStore  # type: ignore[misc]
    try:
        runpy.run_module("app", run_name="__main__", alter_sys=True)
    finally:
        file.write_bytes(pickle.dumps(stores[0].connections[0].recorded))


if __name__ == "__main__":
    main()
