"""A real PostgreSQL server for one test session, shared by all its workers."""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.deadlines import deadline
from tests.support.ports import LOOPBACK, free_port
from tests.support.session import locked

ACCOUNT = "postgres"
START_ATTEMPTS = 3

# fsync stays on, so that the tests run the code paths of production; everything else is kept small.
CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 32MB
fsync = on
wal_level = minimal
max_wal_senders = 0
min_wal_size = 32MB
max_wal_size = 256MB
log_lock_waits = on
"""


class PostgresServer:
    """A cluster in a scratch folder, listening on 127.0.0.1; started once, by whichever worker needs it first.

    The cluster's default collation is ICU English on purpose: an order by code point has to come from the schema, never
    from the luck of the server's locale. Databases are made and dropped per test.
    """

    def __init__(self, folder: Path) -> None:
        """Name the folder of the session's scratch files; nothing is started yet."""
        self._folder = folder / "postgres"
        self._data = self._folder / "data"
        self._port_file = self._folder / "port"
        self._lock_file = folder / "postgres.lock"

    @property
    def url(self) -> str:
        """The URL of the maintenance database; the server must have been started."""
        return self._database_url("postgres")

    @property
    def log(self) -> str:
        """What the server has written so far."""
        path = self._folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def ensure_started(self) -> None:
        """Start the server unless another worker of this session already has. Safe from several processes at once."""
        with locked(self._lock_file):
            if not self._port_file.exists():
                self._start()

    def stop(self) -> None:
        """Stop the server at once, if it was started, and delete its files."""
        with locked(self._lock_file):
            if self._port_file.exists():
                self._run("pg_ctl", "stop", "-D", str(self._data), "-m", "immediate", "-w")
                self._port_file.unlink()
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database, give its ``postgresql://`` URL, and drop it afterwards whoever is still connected."""
        name = f"test_{uuid.uuid4().hex}"
        self._execute("CREATE DATABASE {} TEMPLATE template0", name)
        try:
            yield self._database_url(name)
        finally:
            self._execute("DROP DATABASE {} WITH (FORCE)", name)

    def _execute(self, statement: str, name: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))

    def _database_url(self, name: str) -> str:
        return f"postgresql://{ACCOUNT}@{LOOPBACK}:{self._port_file.read_text()}/{name}"

    def _start(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        if os.geteuid() == 0:  # the server refuses to run as root, so its files belong to its own account
            account = pwd.getpwnam(ACCOUNT)
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        self._run(
            "initdb", "-D", str(self._data), "-U", ACCOUNT, "-A", "trust", "-E", "UTF8", "--no-sync",
            "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US",
        )  # fmt: skip
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(CONFIGURATION)
        self._listen()

    def _listen(self) -> None:
        """Start the server on a free port, on another one when somebody was quicker."""
        for attempt in range(START_ATTEMPTS):
            port = free_port()
            try:
                self._run(
                    "pg_ctl", "start", "-D", str(self._data), "-l", str(self._folder / "log"),
                    "-o", f"-p {port}", "-w", "-t", str(int(deadline(6))),
                )  # fmt: skip
            except subprocess.CalledProcessError:
                if attempt == START_ATTEMPTS - 1:
                    raise
            else:
                self._port_file.write_text(str(port))
                return

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(binaries() / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", ACCOUNT, "--", *command]
        # Output goes to a file, not a pipe: the server inherits it and would hold a pipe open for ever.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(command, stdout=output, stderr=output, cwd="/", check=False, timeout=deadline(12))
            output.seek(0)
            if done.returncode:
                text = output.read().decode(errors="replace") + self.log
                raise subprocess.CalledProcessError(done.returncode, command, text)


def binaries() -> Path:
    """Return the folder of ``initdb`` and ``pg_ctl``: from the search path, else the newest Debian installs.

    Raises:
        FileNotFoundError: PostgreSQL's server is not installed.
    """
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if not found:
        raise FileNotFoundError("PostgreSQL's server is not installed: run `make test`, or install `postgresql`")
    return found[-1].parent
