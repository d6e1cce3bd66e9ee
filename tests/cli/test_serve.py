"""``stepgate serve`` as a process: what it says, what it keeps, and when it refuses to start."""

import asyncio
import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from app import cli
from app.bootstrap import DATABASE_FILE, run_gateway
from app.cli.certificate import CERTIFICATE_FILE, KEY_FILE
from app.cli.token import make_token
from app.services.first_start import ITEM_ID, TEMPLATE_ID
from app.settings import Settings, read_settings
from tests.conftest import Settings as ServerSettings
from tests.conftest import StartServer
from tests.support import ServerProcess, deadline, free_port

ITEM = f"/workflow/{ITEM_ID}"


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would, with no settings of the test's surroundings."""
    return subprocess.run(
        [sys.executable, "-m", "app", *map(str, arguments)],
        env={"PATH": "", "PYTHONWARNINGS": "error", **environment},
        capture_output=True,
        text=True,
        timeout=deadline(4),
        check=False,
    )


def ask(server: ServerProcess, method: str, path: str, token: str, body: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(
        server.url + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=deadline(1)) as answer:
        return json.load(answer)


def of(settings: ServerSettings) -> Settings:
    """The same settings for code that runs within the test."""
    return read_settings({}, settings)


# ---------------------------------------------------------------- what it says and keeps


def test_the_first_start_tells_url_login_and_next_command_and_a_second_keeps_the_data(
    server: ServerProcess, backend_settings: ServerSettings
) -> None:
    """On each database: the printed words are true, and neither restart nor kill -9 loses what was acknowledged."""
    said = server.log
    assert f"Stepgate serves {server.url} " in said
    assert re.search(r"Admin login: admin / [\w-]{16} +\(shown this once\)", said)
    assert re.search(r"Try next: python -m app watch .*--url " + server.url, said)
    token = make_token(of(backend_settings), "admin")
    jobs = ask(server, "POST", f"{ITEM}/jobTemplates/{TEMPLATE_ID}/job", token, {})["jobIds"]
    server.kill9()
    server.restart()
    assert ask(server, "GET", f"{ITEM}/jobs/{jobs[0]}", token)["jobId"] == jobs[0]
    assert server.log.count("Admin login") == 1
    assert server.stop() == 0


def test_the_password_that_was_set_is_taken_and_not_shown(start_server: StartServer) -> None:
    server = start_server(admin_password="correct horse battery")
    assert "the password you set" in server.log
    assert "correct horse" not in server.log


def test_probes_and_metrics_answer_without_a_token(server: ServerProcess) -> None:
    def get(path: str) -> tuple[str, str]:
        with urllib.request.urlopen(server.url + path, timeout=deadline(1)) as answer:
            return answer.headers["Content-Type"], answer.read().decode()

    assert json.loads(get("/healthz")[1]) == {"success": True}
    assert json.loads(get("/readyz")[1]) == {"success": True}
    with connect(f"{server.websocket_url}{ITEM}/notificationWs?token={server.token()}") as peer:
        assert json.loads(peer.recv(deadline(1))) == {"connected": True}
        kind, figures = get("/metrics")
    assert kind.startswith("text/plain")
    values = dict(re.findall(r"^(stepgate_\w+) ([\d.e+-]+)$", figures, re.MULTILINE))
    assert float(values["stepgate_sessions"]) == 1
    assert float(values["stepgate_store_transactions_total"]) >= 1
    assert float(values["stepgate_store_commits_total"]) <= float(values["stepgate_store_transactions_total"])


def test_actions_are_counted_by_type_and_outcome(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server()
    token = make_token(Settings(data_dir=tmp_path / "data"), "admin")
    job = ask(server, "POST", f"{ITEM}/jobTemplates/{TEMPLATE_ID}/job", token, {})["jobIds"][0]
    for _ in range(2):
        ask(server, "POST", f"{ITEM}/jobs/{job}/action", token, {"type": "Hold"})
    ask(server, "POST", f"{ITEM}/jobs/{job}/action", token, {"type": "Run"})
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=deadline(1)) as answer:
        figures = answer.read().decode()
    assert 'stepgate_actions_total{status="Success",type="Hold"} 2.0' in figures
    assert 'stepgate_actions_total{status="Held",type="Run"} 1.0' in figures


def test_at_shutdown_open_websockets_are_told_to_come_back(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server()
    token = make_token(Settings(data_dir=tmp_path / "data"), "admin")
    with connect(f"{server.websocket_url}{ITEM}/notificationWs?token={token}") as peer:
        peer.recv(deadline(1))
        assert server.stop() == 0
        with pytest.raises(ConnectionClosed) as caught:
            peer.recv(deadline(1))
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1012


# ---------------------------------------------------------------- TLS


def test_a_self_signed_certificate_is_made_once_and_serves_https_and_wss(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with _tls_server(folder) as port:
        certificate = (folder / CERTIFICATE_FILE).read_text()
        context = ssl.create_default_context(cafile=folder / CERTIFICATE_FILE)
        with closing(http.client.HTTPSConnection("localhost", port, context=context, timeout=deadline(1))) as client:
            client.request("GET", "/readyz")
            assert client.getresponse().status == 200
        token = make_token(Settings(data_dir=folder), "admin")
        url = f"wss://127.0.0.1:{port}{ITEM}/notificationWs?token={token}"
        with connect(url, ssl=context) as peer:
            assert json.loads(peer.recv(deadline(1))) == {"connected": True}
    assert (folder / KEY_FILE).stat().st_mode & 0o077 == 0
    with _tls_server(folder):
        assert (folder / CERTIFICATE_FILE).read_text() == certificate


class _tls_server:  # noqa: N801 - used like a function
    """A server with a self-signed certificate, until the block ends; gives its port."""

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "app",
                "serve",
                "--tls-self-signed",
                "--port",
                str(self._port),
                "--data-dir",
                folder,
            ],
            env={"PATH": "", "STEPGATE_LOG_LEVEL": "error"},
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> int:
        assert self._process.stdout is not None
        lines: Iterator[str] = iter(self._process.stdout)
        assert any(f"https://127.0.0.1:{self._port}" in line for line in lines)
        return self._port

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        assert self._process.wait(deadline(3)) == 0
        assert self._process.stdout is not None
        self._process.stdout.close()


def test_a_certificate_that_is_none_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("not a certificate")
    options = ["--port", "0", "--data-dir", str(tmp_path / "data"), "--tls-cert", str(bad), "--tls-key", str(bad)]
    assert cli.run(["serve", *options]) == 2
    assert re.fullmatch(r"stepgate: The TLS certificate or key cannot be used: .+\n", capsys.readouterr().err)
    assert not (tmp_path / "data").exists()


# ---------------------------------------------------------------- when it refuses to start


def test_a_second_server_on_the_same_data_folder_is_refused_and_the_first_goes_on(
    start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server()
    done = run("serve", "--port", "0", "--data-dir", tmp_path / "data")
    assert done.returncode == 1
    assert f"process {server.pid}" in _last_line(done)
    assert "data folder" in _last_line(done)
    with urllib.request.urlopen(f"{server.url}/readyz", timeout=deadline(1)) as answer:
        assert answer.status == 200


def test_two_servers_share_a_database_server(start_server: StartServer, postgres_url: str, tmp_path: Path) -> None:
    first = start_server(database_url=postgres_url, data_dir=tmp_path / "data")
    second = start_server(database_url=postgres_url, data_dir=tmp_path / "data")
    assert "Admin login" in first.log
    assert "Admin login" not in second.log


def test_a_taken_port_is_a_clear_error_and_touches_no_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert cli.run(["serve", "--port", port, "--data-dir", str(tmp_path / "data")]) == 1
    assert re.fullmatch(r"stepgate: Cannot listen on .+ Address already in use.+\n", capsys.readouterr().err)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--workers", "2"], "--workers above 1 needs PostgreSQL and Redis"),
        (["--port", "eighty"], "--port"),
        (["--log-level", "loud"], "--log-level: 'loud' does not fit"),
        (["--database-url", "mysql://h/d"], "must begin with postgresql://"),
        (["--tls-cert", "cert.pem"], "belong together"),
        (["--nonsense"], "No such option"),
        (["extra"], "unexpected extra argument"),
    ],
)
def test_bad_input_is_one_clear_line_and_status_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert cli.run(["serve", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert re.fullmatch(r"stepgate: .+\n", error)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data-dir", "/dev/null/data"], "data folder /dev/null/data cannot be made"),
        (["--database-url", "postgresql://nobody@127.0.0.1:1/none"], "database cannot be"),
    ],
)
def test_what_cannot_be_reached_is_one_clear_line_and_status_1(arguments: list[str], words: str) -> None:
    done = run("serve", "--port", "0", *arguments, STEPGATE_LOG_LEVEL="error")
    assert done.returncode == 1
    assert words in _last_line(done)
    assert len(done.stderr.splitlines()) == 1


def test_a_misspelt_variable_is_refused_with_the_right_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STEPGATE_PROT", "1")
    assert cli.run(["serve"]) == 2
    assert "the nearest one is STEPGATE_PORT" in capsys.readouterr().err


def test_a_damaged_database_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / DATABASE_FILE).write_bytes(b"this is no database" * 100)
    done = run("serve", "--port", "0", "--data-dir", tmp_path, STEPGATE_LOG_LEVEL="error")
    assert done.returncode == 1
    assert "not a database" in _last_line(done)
    assert "Traceback" not in done.stderr


def test_keys_sealed_under_another_master_key_are_a_clear_error(tmp_path: Path) -> None:
    async def start_once() -> None:
        async with run_gateway(Settings(data_dir=tmp_path / "data", secret_key="a long master key"), lambda _: None):
            pass

    asyncio.run(start_once())
    done = run(
        "serve", "--port", "0", "--data-dir", tmp_path / "data",
        STEPGATE_SECRET_KEY="another master key", STEPGATE_LOG_LEVEL="error",
    )  # fmt: skip
    assert done.returncode == 1
    assert "STEPGATE_SECRET_KEY is not the one" in _last_line(done)


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    line = done.stderr.splitlines()[-1]
    assert line.startswith("stepgate: ")
    return line
