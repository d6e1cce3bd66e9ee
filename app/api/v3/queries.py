"""The query parameters of the v3 dialects' lists (v3-jobs.md 3.2, 3.5)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from starlette.requests import Request

from app.domain.phases import Phase
from app.errors import InvalidValue
from app.protocol.v3.analytics import PRIORITIES, PRIORITY_NUMBERS, STATUSES
from app.protocol.v3.ids import NumberId, parse_id
from app.services.ports import JobFilter, JobOrder

T = TypeVar("T")

DEFAULT_COUNT: Final = 100
MOST: Final = 1_000
"""So many jobs are in a list at most."""

_STATUS_WORDS: Final[Mapping[str, tuple[Phase, ...]]] = {
    word: tuple(phase for phase, status in STATUSES.items() if status.casefold() == meant)
    for word, meant in {
        "created": "created",
        "queued": "queued",
        "initializing": "",
        "running": "running",
        "completed": "completed",
        "complete": "completed",
        "cancelled": "cancelled",
    }.items()
}
"""Nothing is ever initializing here; ``Complete`` is how a filter may spell ``Completed``."""

_RESULTS: Final[Mapping[str, tuple[Phase, ...]]] = {
    "success": (Phase.SUCCEEDED,),
    "warning": (),
    "error": (Phase.FAILED,),
}

_ORDERS: Final[Mapping[str, JobOrder]] = {
    "createdate": JobOrder.CREATED,
    "appname": JobOrder.TEMPLATE,
    "completiondatetime": JobOrder.ENDED,
    "priority": JobOrder.PRIORITY,
    "status": JobOrder.PHASE,
}

_DIRECTIONS: Final = {"asc": False, "desc": True}
_NO_WORD: Final = ("", "true", "false")


def switch(request: Request, name: str, *, absent: bool) -> bool:
    """A switch; one without a value is on. Raises InvalidValue for anything but true and false."""
    text = request.query_params.get(name)
    if text is None:
        return absent
    if text.casefold() not in _NO_WORD:
        raise _wrong(name, text)
    return text.casefold() != "false"


def page(request: Request) -> tuple[int, int]:
    """``offset`` and ``limit``. Raises InvalidValue."""
    return _number(request, "offset", 0, 2**31), _number(request, "limit", DEFAULT_COUNT, MOST)


def workflow_filter(request: Request) -> JobFilter:
    """What narrows the list of a workflow's jobs; ``state`` is another name of ``status``. Raises InvalidValue."""
    phases = _phases(request, "status", _STATUS_WORDS)
    phases = _both(phases, _phases(request, "state", _STATUS_WORDS))
    return _listed(request, _both(phases, _phases(request, "resultCode", _RESULTS)))


def jobs_filter(request: Request) -> tuple[JobFilter, NumberId | None]:
    """What narrows the list of all jobs, and whose they are to be. Raises InvalidValue."""
    phases = _both(_phases(request, "statuses", _STATUS_WORDS), _phases(request, "status", _STATUS_WORDS))
    listed = _listed(request, phases)
    before, after = _day(request, "completedBefore"), _day(request, "completedAfter")
    wanted = JobFilter(
        phases=listed.phases,
        priority_names=_priorities(request),
        template_names=_words(request, "workflowNames") or None,
        ended_before_ms=None if before is None else _ms(before),
        ended_after_ms=None if after is None else _ms(after + timedelta(days=1)),
        order=listed.order,
        descending=listed.descending,
        start=listed.start,
        count=listed.count,
    )
    return wanted, _user(request)


def _listed(request: Request, phases: Sequence[Phase] | None) -> JobFilter:
    start, count = page(request)
    order = _one(request, "sortField", _ORDERS, JobOrder.CREATED)
    descending = _one(request, "direction", _DIRECTIONS, False)
    return JobFilter(phases=phases, order=order, descending=descending, start=start, count=count)


def _both(one: Sequence[Phase] | None, other: Sequence[Phase] | None) -> Sequence[Phase] | None:
    if one is None or other is None:
        return other if one is None else one
    return [phase for phase in one if phase in other]


def _phases(request: Request, name: str, words: Mapping[str, tuple[Phase, ...]]) -> Sequence[Phase] | None:
    given = _words(request, name)
    for word in given:
        if word.casefold() not in words:
            raise _wrong(name, word)
    return [phase for word in given for phase in words[word.casefold()]] if given else None


def _priorities(request: Request) -> Sequence[str] | None:
    """Names of priorities; the dialect's numbers stand for them."""
    given = [PRIORITY_NUMBERS.get(word, word) for word in _words(request, "priorities")]
    known = {name.casefold(): name for name in PRIORITIES}
    for word in given:
        if word.casefold() not in known:
            raise _wrong("priorities", word)
    return [known[word.casefold()] for word in given] if given else None


def _user(request: Request) -> NumberId | None:
    """``users`` counts with ``allUsers=true`` only (v3-jobs.md 3.5)."""
    text = request.query_params.get("users")
    if not text or not switch(request, "allUsers", absent=False):
        return None
    found = parse_id(text)
    if found is None:
        raise _wrong("users", text)
    return found


def _words(request: Request, name: str) -> list[str]:
    """All values of a parameter, which may come several times or with commas between."""
    texts = request.query_params.getlist(name)
    return [word.strip() for text in texts for word in text.split(",") if word.strip()]


def _one(request: Request, name: str, words: Mapping[str, T], absent: T) -> T:
    text = request.query_params.get(name)
    if not text:
        return absent
    if text.casefold() not in words:
        raise _wrong(name, text)
    return words[text.casefold()]


def _number(request: Request, name: str, absent: int, most: int) -> int:
    text = request.query_params.get(name)
    if not text:
        return absent
    if not (text.isascii() and text.isdecimal() and len(text) < len(str(2**31)) + 1 and int(text) <= most):
        raise _wrong(name, text)
    return int(text)


def _day(request: Request, name: str) -> datetime | None:
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise _wrong(name, text) from None


def _ms(day: datetime) -> int:
    return int(day.timestamp()) * 1_000


def _wrong(name: str, text: str) -> InvalidValue:
    return InvalidValue(f"The value '{text[:100]}' is not valid.", name="InvalidQuery", details=[name])
