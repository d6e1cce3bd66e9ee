"""A server for the tests of a module, and what the JavaScript client's tests are written with."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ServerProcess, deadline, once

ROOT = Path(__file__).parents[2]
INSTALL_S = 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that a module's tests share; one that has stopped it starts it again."""
    process = ServerProcess(tmp_path_factory.mktemp("server"), {})
    try:
        process.start_on_a_free_port()
        yield process
    finally:
        process.close()


@pytest.fixture(scope="module")
def js_needs() -> None:
    """What JavaScript tests and programs import is installed in ``clients/js/node_modules``."""
    once("js-needs", _install)


def _install(_: Path) -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "js-needs.sh"], capture_output=True, text=True, check=False, timeout=deadline(INSTALL_S)
    )
    assert done.returncode == 0, done.stdout + done.stderr
