"""The wheel, the image and the set-up scripts: what somebody else's machine gets is complete and serves."""

import http.server
import os
import re
import shlex
import shutil
import socketserver
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import deadline, eventually, free_port, once

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
INSTALL_S = 25
ABSOLUTE_PATH = re.compile(r"(?<=\s)/\S+")


@pytest.fixture(scope="module")
def image() -> Path:
    """A folder in which the Dockerfile's RUN lines were run, as if it were the image's root."""
    return once("image", _run_image_lines)


def _run_image_lines(folder: Path) -> None:
    for line in re.findall(r"^RUN (.*)$", DOCKERFILE, re.MULTILINE):
        if "image-data" in line and os.geteuid() != 0:
            continue  # giving a folder away takes root
        command = ABSOLUTE_PATH.sub(lambda path: f"{folder}{path[0]}", line)
        subprocess.run(shlex.split(command), cwd=ROOT, check=True, timeout=deadline(INSTALL_S))


def test_every_run_line_of_the_image_is_a_call_of_one_script() -> None:
    lines = re.findall(r"^RUN (.*)$", DOCKERFILE, re.MULTILINE)
    assert lines
    for line in lines:
        assert (ROOT / shlex.split(line)[0]).is_file()
        assert not re.search(r"[;&|]", line)


def test_the_image_copies_only_what_its_build_context_holds() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE):
        for source in sources.split():
            assert source.split("/")[0] in allowed or source in allowed, f"{source} is left out by .dockerignore"
            assert (ROOT / source).exists()


def test_the_installed_command_explains_itself(image: Path, tmp_path: Path) -> None:
    done = _run([image / "opt/stepgate/bin/stepgate", "--help"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "serve" in done.stdout


@pytest.mark.parametrize("folder", ["app", "clients/python/src/stepgate_client"])
def test_the_wheel_holds_every_file_of_a_package(image: Path, folder: str) -> None:
    (site,) = (image / "opt/stepgate/lib").glob("python*/site-packages")
    sources = _files(ROOT / folder)
    assert sources, f"{folder} has no files"
    assert sources <= _files(site / Path(folder).name)


def test_the_wheel_holds_the_javascript_client_where_the_console_serves_it_from(image: Path) -> None:
    (site,) = (image / "opt/stepgate/lib").glob("python*/site-packages")
    sources = _files(ROOT / "clients/js/src")
    assert "index.js" in {str(name) for name in sources}
    assert sources == _files(site / "app/console/client")


def test_the_wheel_brings_no_tests_along(image: Path) -> None:
    (site,) = (image / "opt/stepgate/lib").glob("python*/site-packages")
    assert not (site / "tests").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a folder away takes root")
def test_the_images_data_folder_belongs_to_the_account_that_serves(image: Path) -> None:
    (user,) = re.findall(r"^USER (\d+):\d+$", DOCKERFILE, re.MULTILINE)
    status = (image / "data").stat()
    assert int(user) == status.st_uid != 0
    assert status.st_mode & 0o777 == 0o700


@pytest.mark.anyio
async def test_the_image_serves_and_its_health_check_says_so(image: Path, tmp_path: Path) -> None:
    port = free_port()
    environment = _image_environment() | {
        "STEPGATE_HOST": "127.0.0.1",
        "STEPGATE_PORT": str(port),
        "STEPGATE_DATA_DIR": str(tmp_path / "data"),
        "PATH": f"{image / 'opt/stepgate/bin'}:{os.environ['PATH']}",
    }
    with _serving(environment, tmp_path) as process:
        await eventually(lambda: _health_check(port) == 0 or process.poll() is not None, expected_s=5)
        assert process.poll() is None, (tmp_path / "log").read_text()
        assert [_status(port, path) for path in ("console/", "console/client/index.js")] == [200, 200]


def _status(port: int, path: str) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=deadline(0.5)) as answer:
        return int(answer.status)


@contextmanager
def _serving(environment: dict[str, str], folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["stepgate", "serve"], env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(deadline(3))


def test_the_health_check_fails_when_nobody_serves() -> None:
    assert _health_check(free_port()) != 0


def test_the_health_check_fails_when_the_server_says_it_is_ill(ill_server: int) -> None:
    assert _health_check(ill_server) != 0


@pytest.fixture
def ill_server() -> Iterator[int]:
    """The port of a server that answers 503 to everything."""

    class Ill(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(503)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Stay silent."""

    with socketserver.TCPServer(("127.0.0.1", 0), Ill) as server:
        thread = threading.Thread(target=server.serve_forever, name="ill server")
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_missing_server_of_the_tests_is_named_when_it_may_not_be_installed(tmp_path: Path) -> None:
    path = _path_with(tmp_path, "sh", "dirname", "gcc", id="echo 1000")
    done = _run(["scripts/test-needs.sh"], PATH=path)
    assert done.returncode != 0
    assert "sudo apt-get install redis-server" in done.stderr


def test_nothing_is_said_when_the_tests_have_all_they_need() -> None:
    done = _run(["scripts/test-needs.sh"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may install packages")
def test_missing_packages_are_installed_by_root_without_starting_their_services(tmp_path: Path) -> None:
    """apt-get is a stand-in that writes down how it was called: the machine's packages are not the test's to change."""
    calls, policy = tmp_path / "calls", Path("/usr/sbin/policy-rc.d")
    had_policy = policy.exists()
    path = _path_with(
        tmp_path,
        "sh",
        "dirname",
        "rm",
        "chmod",
        "gcc",
        "node",
        "npm",
        "chromium",
        id="echo 0",
        **{"apt-get": f'test -e {policy} && echo "$@" >>{calls}'},
    )
    done = _run(["scripts/test-needs.sh"], PATH=path)
    assert done.returncode == 0, done.stderr
    assert calls.read_text().splitlines() == ["update -q", "install -qy --no-install-recommends redis-server faketime"]
    assert policy.exists() == had_policy


def test_a_python_that_is_too_old_is_refused_with_its_version(tmp_path: Path) -> None:
    path = _path_with(tmp_path, "sh", "dirname", python3='[ "$1" = -V ] && echo Python 3.9.2 || exit 1')
    done = _run(["scripts/venv.sh", str(tmp_path / "venv"), "all"], PATH=path)
    assert done.returncode != 0
    assert "3.11 or later" in done.stderr
    assert "Python 3.9.2" in done.stderr


def test_a_python_without_ensurepip_is_told_the_package_to_install(tmp_path: Path) -> None:
    broken = f'case "$2" in *ensurepip*) exit 1;; esac; exec {sys.executable} "$@"'
    path = _path_with(tmp_path, "sh", "dirname", id="echo 1000", python3=broken)
    done = _run(["scripts/venv.sh", str(tmp_path / "venv"), "all"], PATH=path)
    assert done.returncode != 0
    assert f"python{sys.version_info[0]}.{sys.version_info[1]}-venv" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_make_run_serves_from_a_fresh_copy_and_starts_at_once_the_second_time(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy, ignore=_not_in_the_repository)
    for allowed_s in (INSTALL_S, 6):
        _serve_once(copy, allowed_s)


def _serve_once(folder: Path, allowed_s: float) -> None:
    """Run `make run` until the line with the address is printed, then interrupt it as a person would."""
    port = free_port()
    arguments = f"--port {port} --data-dir {folder / 'data'}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STEPGATE_")}
    with subprocess.Popen(
        ["make", "run", f"ARGS={arguments}"], cwd=folder, env=environment | {"PYTHONUNBUFFERED": "1"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    ) as process:  # fmt: skip
        killer = threading.Timer(deadline(allowed_s), lambda: os.killpg(process.pid, 9))
        killer.start()
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(line)
            if f":{port}" in line:
                break
        try:
            assert f":{port}" in "".join(seen), "".join(seen)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=deadline(1)) as answer:
                assert answer.status == 200
        finally:
            os.killpg(process.pid, 2)
            process.stdout.read()
            process.wait()
            killer.cancel()


def _run(command: list[str | Path], *, cwd: Path = ROOT, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
        timeout=deadline(5),
    )  # fmt: skip


def _path_with(folder: Path, *programs: str, **scripts: str) -> str:
    """Return a search path that holds these real programs and these one-line shell scripts, and nothing else."""
    binaries = folder / "bin"
    binaries.mkdir()
    for program in programs:
        found = shutil.which(program)
        assert found, program
        (binaries / program).symlink_to(found)
    for name, text in scripts.items():
        (binaries / name).write_text(f"#!/bin/sh\n{text}\n")
        (binaries / name).chmod(0o755)
    return str(binaries)


def _files(folder: Path) -> set[str]:
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in found if "__pycache__" not in path.parts}


def _image_environment() -> dict[str, str]:
    (block,) = re.findall(r"^ENV ((?:.*\\\n)*.*)$", DOCKERFILE, re.MULTILINE)
    pairs = dict(pair.split("=", 1) for pair in block.replace("\\\n", " ").split())
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STEPGATE_")}
    return {**inherited, **pairs}


def _health_check(port: int) -> int:
    (program,) = re.findall(r'^HEALTHCHECK .*CMD \["python", "-c", "(.*)"\]$', DOCKERFILE, re.MULTILINE)
    environment = {**os.environ, "STEPGATE_PORT": str(port)}
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, stderr=subprocess.DEVNULL, check=False, timeout=deadline(3)
    ).returncode


def _not_in_the_repository(folder: str, names: list[str]) -> set[str]:
    ignored = {".git", ".venv", "__pycache__", "stepgate-data", "build", "dist"}
    return {name for name in names if name in ignored or name.endswith(("_cache", ".egg-info"))}
