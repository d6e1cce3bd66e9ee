"""The ``stepgate`` command: ``serve``, and what administers a server beside it while it runs.

Exit status: 0 done, 1 it could not be done, 2 it was asked for in a wrong way. Errors are one line on standard error.
"""

import gc
import os
import sys
import traceback
from importlib import import_module
from typing import Final

import typer

from app.errors import GatewayError, InvalidValue
from app.settings import SettingsError

NAME = "stepgate"
INTERRUPTED = 130
"""What a shell reports for a program that Ctrl-C ended."""

MODULES: Final = {
    "serve": ("serve",),
    "token": ("token",),
    "client": ("create", "show", "watch", "answer", "run", "finish", "stop", "hold", "release"),
    "configuration": ("export", "import"),
    "user": ("user",),
    "item": ("item",),
    "group": ("group",),
    "project": ("project",),
    "api_client": ("client",),
    "key": ("key",),
    "database": ("db",),
}
"""Which module of this package has which commands, in the order of the help. Each has ``register(app)``."""


def main() -> None:
    """Run the command of ``sys.argv`` and exit."""
    status = run()
    # Python's last collection would look through all that was imported, to free what the system frees anyway: 0.2 s.
    gc.freeze()
    sys.exit(status)


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status; ``arguments`` None means those of the process."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        outcome = _program(given)(given, prog_name=NAME, standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        print(file=sys.stderr)  # the shell's prompt begins a line, whatever was asked or shown last
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has had enough
        return 0
    except Exception as error:  # noqa: BLE001 - told to the person, with a status that scripts can read
        return tell(error)
    return outcome if isinstance(outcome, int) else 0


def _program(arguments: list[str]) -> typer.Typer:
    """The command line, of which only the module with the command asked for is imported; for help, all of them."""
    program = typer.Typer(
        name=NAME,
        help="A real-time notification gateway and API for workflow jobs.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    program.callback()(_nothing)
    wanted = [module for module, commands in MODULES.items() if arguments and arguments[0] in commands]
    for module in wanted or MODULES:
        import_module(f"app.cli.{module}").register(program)
    return program


def _nothing() -> None:
    """Keep a single command a command with a name: typer would make it the program itself."""


def tell(error: Exception) -> int:
    """Say on standard error, in one line, what went wrong; return the exit status that belongs to it."""
    match error:
        case SettingsError():
            return _fail(" ".join(error.faults), 2)
        case typer.TyperException():
            return _fail(_with_help(error), error.exit_code) if error.format_message() else error.exit_code
        case GatewayError():
            return _fail(error.message, 2 if isinstance(error, InvalidValue) else 1)
    if os.environ.get("STEPGATE_LOG_LEVEL") in {"debug", "trace"}:
        traceback.print_exception(error)
    return _fail(f"{type(error).__name__}: {error} (a mistake of ours; STEPGATE_LOG_LEVEL=debug shows where)", 1)


def _with_help(error: typer.TyperException) -> str:
    """The message, and the command that tells the right way, where it is known which that is."""
    message, context = error.format_message(), getattr(error, "ctx", None)
    if context is None:
        return message
    end = "" if message.endswith((".", "?", ")")) else "."
    return f"{message}{end} See: {context.command_path} --help"


def _fail(message: str, status: int) -> int:
    print(f"stepgate: {' '.join(message.split())}", file=sys.stderr)
    return status
