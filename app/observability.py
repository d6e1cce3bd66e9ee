"""Logs and metrics: one line per event, as text for people or JSON for machines, and no token in any of them.

Our loggers are named after their modules (``app.hub.session``); a line's fields go into ``extra={"fields": {...}}`` and
use the words of the glossary. Other people's loggers (uvicorn, websockets) are heard from INFO up and no deeper,
whatever our own level: below that they print request lines, headers and frames, and those carry tokens.
"""

import logging
import re
import sys
import time
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from functools import partial
from typing import Any, TextIO

import msgspec
from prometheus_client import CollectorRegistry, Counter

TRACE = 5
"""Finer than DEBUG: single frames and wake-ups (uvicorn's number for it)."""

METRICS = CollectorRegistry()
"""What ``/metrics`` shows of this process."""

_ACTIONS = Counter(
    "stepgate_actions",
    "Actions asked of steps, by type and by what became of them.",
    ["type", "status"],
    registry=METRICS,
)

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the HTTP request or websocket that is being served here."""

_LEVELS = {
    "trace": TRACE,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_FOREIGN_LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.asgi", "uvicorn.access", "websockets", "asyncio")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CREDENTIALS = re.compile(
    r"""(?ix)
    ( \btoken["']?\s*[=:]\s*["']? | \bbearer\s+ | authorization["']?\s*[:=,]\s*["']? )  # what announces one
    (?!bearer\s) [^\s"'&,;)}\]]+
    | \beyJ[\w-]{8,}\.[\w-]+\.[\w-]*                                                    # a JSON Web Token anywhere
    """
)


def set_up_logging(
    level: str, log_format: str, stream: TextIO | None = None, fields: Mapping[str, Any] | None = None
) -> None:
    """Send all logs to ``stream`` (None: standard error), replacing what was set up before.

    Args:
        level: a word of ``settings.LogLevel``, for our own loggers.
        log_format: ``text``, ``json``, or ``auto``: text when the stream is a terminal.
        stream: where lines go.
        fields: of every line.
    """
    logging.addLevelName(TRACE, "TRACE")
    target = stream or sys.stderr
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        TextFormatter() if log_format == "text" or _is_terminal(log_format, target) else JsonFormatter()
    )
    handler.addFilter(partial(_add_fields, fields or {}))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("app").setLevel(_LEVELS[level])
    for name in _FOREIGN_LOGGERS:
        _tame(logging.getLogger(name), max(_LEVELS[level], logging.INFO))


def count_action(kind: str, statuses: Iterable[str]) -> None:
    """Count an action by what became of it at each step; ``kind`` is the command's name or the wire's."""
    for status in statuses:
        _ACTIONS.labels("Hold" if kind == "SetHold" else kind, status).inc()


def hide_credentials(text: str) -> str:
    """Replace what looks like a token by ``***``: the last line of defence, should one slip into a message."""
    return _CREDENTIALS.sub(lambda match: f"{match[1] or ''}***", text)


class TextFormatter(logging.Formatter):
    """``12:34:56.789 INFO  app.hub.hub  a peer was cut  session=7 unsent=1000000``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, followed by the traceback where there is one."""
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        line = f"{clock}.{int(record.msecs):03d} {record.levelname:<7} {record.name}  {record.getMessage()} {fields}"
        return hide_credentials(f"{_on_one_line(line.rstrip())}{_trace(self, record)}")


class JsonFormatter(logging.Formatter):
    """One JSON object per line: ``time`` (ms since 1970), ``level``, ``logger``, ``message``, and the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback becomes the member ``traceback``."""
        line: dict[str, Any] = {
            "time": int(record.created * 1000),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": hide_credentials(record.getMessage()),
        }
        for name, value in _fields(record).items():
            line[name] = hide_credentials(value) if isinstance(value, str) else value
        trace = _trace(self, record).lstrip()
        if trace:
            line["traceback"] = hide_credentials(trace)
        return msgspec.json.encode(line, enc_hook=str).decode()


def _is_terminal(log_format: str, stream: TextIO) -> bool:
    return log_format == "auto" and stream.isatty()


def _tame(logger: logging.Logger, level: int) -> None:
    logger.handlers = []
    logger.propagate = True
    logger.setLevel(level)
    if logger.name == "uvicorn.error" and not any(isinstance(known, _NoRequestLines) for known in logger.filters):
        logger.addFilter(_NoRequestLines())


class _NoRequestLines(logging.Filter):
    """Drops uvicorn's own lines about websockets: they show the query string. ``api/access_log.py`` writes ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        return '"WebSocket' not in str(record.msg)


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = getattr(record, "fields", {})
    current = request_id.get()
    return {**fields, "request": current} if current and "request" not in fields else fields


def _add_fields(fields: Mapping[str, Any], record: logging.LogRecord) -> bool:
    if fields:
        record.fields = {**fields, **getattr(record, "fields", {})}
    return True


def _on_one_line(text: str) -> str:
    """Escape control characters: a path with a line break in it must not pass for a line of ours."""
    return _CONTROLS.sub(lambda match: ascii(match[0])[1:-1], text)


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return f"\n{formatter.formatException(record.exc_info)}" if record.exc_info else ""
