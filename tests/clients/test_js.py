"""The JavaScript client under Node's own runner and a real server: each file of ``clients/js/test`` is a test here.

The server is shared by a module's files; one that needs another user's token, or the server killed and started again,
asks for it over a small HTTP interface, since it is this process that holds the server.
"""

import http.server
import os
import shlex
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support import ServerProcess, deadline

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "js"
FILES = sorted(path.name for path in (CLIENT / "test").glob("*.test.js"))
FILE_S = 20


@pytest.fixture(scope="module")
def control(server: ServerProcess) -> Iterator[str]:
    """The address at which a test file asks for what only this process can do."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            url = urlsplit(self.path)
            words = {name: values[0] for name, values in parse_qs(url.query).items()}
            try:
                status, text = 200, _do(server, url.path.strip("/"), words)
            except Exception as error:  # noqa: BLE001  (the test that has asked shows it)
                status, text = 500, repr(error)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class's name)
            """Stay quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, name="control of the server")
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}"
        finally:
            listening.shutdown()
            thread.join()


def _do(server: ServerProcess, what: str, words: dict[str, str]) -> str:
    match what:
        case "token":
            return server.token(words["user"], ttl_s=int(words["ttl"]) if "ttl" in words else None)
        case "command":
            return server.command(*shlex.split(words["words"]))
        case "kill":
            server.kill9()
        case "start" if not server.is_running:
            server.start()
        case "start":
            pass
        case "freeze":
            server.freeze()
        case "thaw":
            server.thaw()
        case _:
            raise ValueError(what)
    return ""


@pytest.mark.parametrize("name", FILES)
def test_the_client_under_node(name: str, server: ServerProcess, control: str, js_needs: None) -> None:
    variables = {"STEPGATE_JS_URL": server.url, "STEPGATE_JS_TOKEN": server.token(), "STEPGATE_JS_CONTROL": control}
    done = subprocess.run(
        ["node", "--test", "--test-reporter=spec", f"test/{name}"],
        cwd=CLIENT, env=os.environ | variables, capture_output=True, text=True, check=False, timeout=deadline(FILE_S),
    )  # fmt: skip
    assert done.returncode == 0, f"{name}:\n{done.stdout}{done.stderr}"
