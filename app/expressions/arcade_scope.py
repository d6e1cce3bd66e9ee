"""What an expression may ask about: the names that begin with ``$``, and facts beyond them, read when asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NoReturn, Protocol
from urllib.parse import quote_plus

from app.expressions.arcade_values import STEP_SUCCESS, ArcadeError, Value


class Encoding(StrEnum):
    """How the values of job functions are written into text (rest.md 13.1, ``parseMode``); all else is left alone."""

    STANDARD = "Standard"
    URL = "URL"
    QUERY = "Query"

    def written(self, value: Value) -> Value:
        """Text for its place: in an address as a form would send it, in a condition with each ``'`` doubled."""
        if isinstance(value, tuple):
            return tuple(self.written(item) for item in value)
        if not isinstance(value, str) or self is Encoding.STANDARD:
            return value
        return quote_plus(value) if self is Encoding.URL else value.replace("'", "''")


@dataclass(frozen=True, slots=True)
class UserFacts:
    """What expressions may know of a user. ``groups`` are group ids."""

    username: str
    full_name: str | None
    email: str | None
    groups: Sequence[str]


JobMembers = Mapping[str, Any]
"""A job's members under the names of the REST job; a callable is a member that is computed when it is asked for."""


class Facts(Protocol):
    """What an expression can ask about that is not in its scope, in one item. Each method reads when it is called, in
    the transaction that the expression is evaluated in, and raises ArcadeError where there is nothing to ask."""

    def now_ms(self) -> int:
        """The moment of the evaluation, in ms since 1970: the same for all of a transaction."""

    def new_id(self) -> str:
        """A fresh id: 22 characters, URL-safe base64 of 16 bytes."""

    def user(self, username: str) -> UserFacts | None: ...
    def job(self, job_id: str) -> JobMembers | None:
        """The members of any job of the item."""

    def job_property(self, job_id: str, table: str, name: str, *, coming: str | None = None) -> Value:
        """An extended property, of the type that its template gives it. Raises ArcadeError when there is none.

        Args:
            coming: the text it is about to be set to, which counts instead of what is stored.
        """

    def job_output(self, job_id: str, step_id: str) -> tuple[Value, ...]:
        """What the last run of a step has put out; empty when it has put out nothing."""

    def last_runner(self, job_id: str, step_id: str) -> str | None:
        """Who has run a step last."""

    def last_comment(self, job_id: str) -> str | None: ...


class NoFacts:
    """Nothing to ask: every question is refused."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise ArcadeError("this cannot be asked here: there is no workflow item to look it up in")

    now_ms = new_id = user = job = job_property = job_output = last_runner = last_comment = _refuse


NO_FACTS: Final[Facts] = NoFacts()


class ChangedProperties:
    """Facts of a transaction that is about to set extended properties of a job.

    Args:
        changes: the new text (or None) by table and name.
    """

    def __init__(self, facts: Facts, job_id: str, changes: Mapping[tuple[str, str], str | None]) -> None:
        self._facts = facts
        self._job_id = job_id
        self._changes = changes
        self.now_ms, self.new_id, self.user, self.job = facts.now_ms, facts.new_id, facts.user, facts.job
        self.job_output, self.last_runner = facts.job_output, facts.last_runner
        self.last_comment = facts.last_comment

    def job_property(self, job_id: str, table: str, name: str, *, coming: str | None = None) -> Value:
        if job_id != self._job_id or (table, name) not in self._changes:
            return self._facts.job_property(job_id, table, name, coming=coming)
        changed = self._changes[table, name]
        return None if changed is None else self._facts.job_property(job_id, table, name, coming=changed)


@dataclass(frozen=True, slots=True)
class Scope:
    """What the ``$names`` stand for.

    ``job`` has the members of the REST job (``jobId``, ``createdBy``, ...), dates as ms; None where there is no job.
    ``ret_val`` is what the step returned: the number of the chosen answer for a question, else ``step_success`` or
    ``STEP_ERROR``. ``step_success`` is text, so no answer's number equals it (rest.md 14.4).
    """

    current_user: str | None = None
    job: JobMembers | None = None
    ret_val: Value = None
    step_success: str = STEP_SUCCESS
    facts: Facts = NO_FACTS
    encoding: Encoding = Encoding.STANDARD
