"""What a person reads on standard output when a server has started."""

import shlex
import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from app.cli.options import DEFAULT_URL
from app.services.first_start import ADMIN, ITEM_ID, ORG_ID
from app.settings import Settings


class Greeting:
    """Says where the server is, who may log in, and what to try.

    Args:
        port: that was taken, where the settings leave it open.
    """

    def __init__(self, settings: Settings, port: int) -> None:
        self._settings = settings
        self._port = port

    def take_password(self, password: str) -> None:
        """Show a password we made ourselves, at once: should the start fail after this, it is not lost."""
        given = self._settings.admin_password is not None
        shown = "the password you set" if given else f"[bold]{password}[/]   (shown this once)"
        self._say(f"Admin login: [bold]{ADMIN}[/] / {shown}")

    def show(self) -> None:
        """Show where the server is and what to try."""
        url = escape(self._settings.public_url or self._url())
        self._say(f"Stepgate serves [bold]{url}[/]   (item {url}/{ORG_ID}/{ITEM_ID})")
        self._say(f"Console: [bold]{url}/console/[/]")
        command, options = escape(_own_command()), escape(self._options())
        self._say(f"Try next: [bold]{command} watch{options} $({command} create{options})[/]")
        self._say("Stop with Ctrl-C.")

    def _say(self, line: str) -> None:
        Console(soft_wrap=True, highlight=False).print(line)
        sys.stdout.flush()

    def _url(self) -> str:
        host = self._settings.host
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 - shown
        return f"{'https' if self._settings.uses_tls else 'http'}://{host}:{self._port}"

    def _options(self) -> str:
        """The options that the next command needs to reach this server."""
        defaults, url = Settings(), self._settings.public_url or self._url()
        wanted = {"--url": url if url != DEFAULT_URL else None}
        if self._settings.data_dir != defaults.data_dir:
            wanted["--data-dir"] = str(self._settings.data_dir)
        return "".join(f" {name} {shlex.quote(value)}" for name, value in wanted.items() if value)


def _own_command() -> str:
    """How this program was called: the next command is called the same way."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return "python -m app"
    found = shutil.which(called.name)
    if found and Path(found).samefile(called):
        return called.name
    here = Path.cwd()
    return shlex.quote(str(called.relative_to(here) if called.is_relative_to(here) else called))
