"""The ``stepgate`` command: ``serve``, and what administers a server beside it while it runs.

Exit status: 0 done, 1 it could not be done, 2 it was asked for in a wrong way. Errors are one line on standard error.
"""

import os
import sys
import traceback

import typer

from app.cli import client, database, group, key, serve, token, user
from app.errors import GatewayError, InvalidValue
from app.settings import SettingsError

INTERRUPTED = 130
"""What a shell reports for a program that Ctrl-C ended."""

app = typer.Typer(
    name="stepgate",
    help="A real-time notification gateway and API for workflow jobs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
serve.register(app)
token.register(app)
app.add_typer(user.app, name="user")
app.add_typer(group.app, name="group")
app.add_typer(key.app, name="key")
app.add_typer(database.app, name="db")
client.register(app)


def main() -> None:
    """Run the command of ``sys.argv`` and exit."""
    sys.exit(run())


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status; ``arguments`` None means those of the process."""
    try:
        outcome = app(arguments, standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has had enough
        return 0
    except Exception as error:  # noqa: BLE001 - told to the person, with a status that scripts can read
        return _tell(error)
    return outcome if isinstance(outcome, int) else 0


def _tell(error: Exception) -> int:
    match error:
        case SettingsError():
            return _fail(" ".join(error.faults), 2)
        case typer.TyperException():
            return _fail(error.format_message(), error.exit_code)
        case GatewayError():
            return _fail(error.message, 2 if isinstance(error, InvalidValue) else 1)
    if os.environ.get("STEPGATE_LOG_LEVEL") in {"debug", "trace"}:
        traceback.print_exception(error)
    return _fail(f"{type(error).__name__}: {error} (a mistake of ours; STEPGATE_LOG_LEVEL=debug shows where)", 1)


def _fail(message: str, status: int) -> int:
    print(f"stepgate: {' '.join(message.split())}", file=sys.stderr)
    return status
