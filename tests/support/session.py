"""What the workers of one test session share: a scratch folder, and work done once for all of them."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SCRATCH_VARIABLE = "STEPGATE_TEST_SCRATCH"


def scratch() -> Path:
    """Return the session's scratch folder, made by ``tests/conftest.py`` and deleted at the session's end."""
    return Path(os.environ[SCRATCH_VARIABLE])


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time into the block; the lock goes with the process that holds it."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def once(name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder ``name`` of the session, filled by ``make(folder)`` the first time any worker asks for it.

    When ``make`` raises, the next caller tries again in the same folder.
    """
    folder = scratch() / name
    with locked(scratch() / f"{name}.lock"):
        done = folder / ".done"
        if not done.exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            done.touch()
    return folder
