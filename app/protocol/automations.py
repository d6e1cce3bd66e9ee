"""Automations on the wire: lists and edits of them, and what the text in ``details`` may be (rest.md 7.1).

``details`` is JSON text. What is known of it is read and kept, the secret of a webhook apart from it; members that are
not known are dropped, so nothing that a client puts there (a password) is stored.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from app.domain.job import AutomationType
from app.domain.schedule import Schedule, TimeType, last_day
from app.errors import InvalidValue
from app.protocol.jobs import Answer
from app.protocol.json_path import read_path
from app.protocol.service_args import PropertyOfAnswer
from app.protocol.text import decode

_Name = Annotated[str, Meta(min_length=1, max_length=255)]
_Details = Annotated[str, Meta(max_length=100_000)]
_HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,255}$")]
_Secret = Annotated[str, Meta(pattern=r"^[!-~]([ -~]{0,998}[!-~])?$")]
_AT_ONCE: Final = 100

_MILLENNIUM_MS: Final = 946_684_800_000
"""An earlier end is one in seconds, not in milliseconds."""


# ---------------------------------------------------------------- lists and edits


class AutomationLine(Answer, kw_only=True):
    """One line of the list."""

    automation_id: str
    automation_name: str
    automation_type: AutomationType
    created_by: str


class AutomationList(Answer, kw_only=True):
    """The automations of a job template, in the order they were added."""

    automations: list[AutomationLine]


class AutomationDetails(AutomationLine, kw_only=True):
    """An automation. ``details`` is JSON text; the secret of a webhook is not in it.

    The other members are ours: how many jobs it has made, when the last one was due and when the next one is, and why
    the last try has made none, until one does.
    """

    enabled: bool
    details: str
    occurrences: int
    last_date: str | None = None
    next_date: str | None = None
    last_error: str | None = None
    last_error_date: str | None = None


class AutomationAdd(msgspec.Struct, rename="camel"):
    """An automation to add; all of it is required."""

    automation_name: _Name
    automation_type: AutomationType
    enabled: bool
    details: _Details


class AutomationUpdate(msgspec.Struct, rename="camel"):
    """What is to change of an automation; a member that is missing stays as it is, and ``automationType`` always."""

    automation_id: str
    automation_name: _Name | None = None
    automation_type: AutomationType | None = None
    enabled: bool | None = None
    details: _Details | None = None


class AutomationsBody(msgspec.Struct):
    """What is to be added, changed and deleted, all or nothing."""

    adds: Annotated[list[AutomationAdd], Meta(max_length=_AT_ONCE)] | None = None
    updates: Annotated[list[AutomationUpdate], Meta(max_length=_AT_ONCE)] | None = None
    deletes: Annotated[list[str], Meta(max_length=_AT_ONCE)] | None = None


class AutomationsEdited(msgspec.Struct, rename="camel", omit_defaults=True):
    """It is done. ``automationIds`` are those of ``adds``, in their order; ``message`` says what keeps automations that
    were stored from making jobs."""

    success: bool
    message: str | None = None
    automation_ids: list[str] = msgspec.field(default_factory=list)


# ---------------------------------------------------------------- details


class ScheduleDetails(msgspec.Struct, rename="camel", omit_defaults=True):
    """When a Scheduled automation makes jobs, in UTC. ``dayOfWeek`` is 1 (Sunday) to 7; ``NumberOfDays`` has the number
    in ``dayOfMonth``; ``endDate`` is in milliseconds since 1970."""

    time_type: TimeType
    month: Annotated[int, Meta(ge=1, le=12)] | None = None
    day_of_week: Annotated[int, Meta(ge=1, le=7)] | None = None
    day_of_month: Annotated[int, Meta(ge=1, le=31)] | None = None
    hour: Annotated[int, Meta(ge=0, le=23)] | None = None
    minutes: Annotated[int, Meta(ge=0, le=59)] | None = None
    max_occurrences: Annotated[int, Meta(ge=1, le=2**53)] | None = None
    end_date: Annotated[int, Meta(ge=_MILLENNIUM_MS, le=2**53)] | None = None

    def faults(self) -> Iterator[str]:
        """What is missing, and a day that never is."""
        if (member := _NEEDED.get(self.time_type)) and getattr(self, member[0]) is None:
            yield f"{member[1]} is missing, and timeType is {self.time_type}"
        elif self.time_type is TimeType.MONTH_OF_YEAR and (self.day_of_month or 1) > last_day(self.month or 1):
            yield f"dayOfMonth is {self.day_of_month}, and month {self.month} has {last_day(self.month or 1)} days"

    def schedule(self) -> Schedule:
        """As the domain has it."""
        return Schedule(
            self.time_type,
            hour=self.hour or 0,
            minutes=self.minutes or 0,
            month=self.month or 1,
            day_of_week=self.day_of_week or 1,
            day_of_month=self.day_of_month or 1,
            max_occurrences=self.max_occurrences,
            end_ms=self.end_date,
        )


_NEEDED: Final = {
    TimeType.NUMBER_OF_DAYS: ("day_of_month", "dayOfMonth"),
    TimeType.DAY_OF_WEEK: ("day_of_week", "dayOfWeek"),
    TimeType.DAY_OF_MONTH: ("day_of_month", "dayOfMonth"),
    TimeType.MONTH_OF_YEAR: ("month", "month"),
}
"""The member that a time type cannot do without: our name and the wire's."""


class HeaderSecret(msgspec.Struct, rename="camel", omit_defaults=True):
    """The header a webhook's requests must bring. ``key`` is its name and ``value`` the secret, which is never told: an
    update without it keeps the one that is there. With ``isEnabled`` false it is kept and not asked for."""

    key: _HeaderName
    value: _Secret | None = None
    is_enabled: bool | None = None


class PayloadAttachment(msgspec.Struct, rename="camel", omit_defaults=True):
    """The body of a webhook's request becomes an attachment of the job, in this folder, unless ``isEnabled`` is
    false."""

    folder: Annotated[str, Meta(max_length=255)] | None = None
    is_enabled: bool | None = None


class WebhookDetails(msgspec.Struct, rename="camel", omit_defaults=True):
    """What a Webhook automation makes of a request. The job is created by ``username``, or where that one may not, by
    ``fallbackUsername``; without either, by who has added the automation. ``properties`` are extended properties, each
    with the path to its value in the request's body.

    The header may also be written flat: its name as ``headerSecretKey``, the secret as ``headerSecret``.
    """

    username: _Name | None = None
    fallback_username: _Name | None = None
    header_secret: HeaderSecret | _Secret | None = None
    header_secret_key: _HeaderName | None = None
    attachment: PayloadAttachment | None = None
    properties: Annotated[list[PropertyOfAnswer], Meta(max_length=1_000)] | None = None

    @property
    def header(self) -> HeaderSecret | None:
        """The header, however it was written."""
        if isinstance(self.header_secret, HeaderSecret):
            return self.header_secret
        return HeaderSecret(self.header_secret_key, self.header_secret) if self.header_secret_key else None

    @property
    def required_header(self) -> str | None:
        """The name of the header that requests must bring; None where none is asked for."""
        return self.header.key if self.header and self.header.is_enabled is not False else None

    def faults(self) -> Iterator[str]:
        """What is missing, and paths that cannot be read."""
        if isinstance(self.header_secret, str) and self.header_secret_key is None:
            yield "headerSecretKey is missing: the name of the header that brings the secret"
        for number, each in enumerate(self.properties or ()):
            table, _, name = each.identifier.partition(".")
            if not (table and name):
                yield f"properties[{number}].identifier {each.identifier!r} is not of the form table.property"
            try:
                read_path(each.path)
            except InvalidValue as error:
                yield f"properties[{number}].path: {error.message}"


@dataclass(frozen=True, slots=True)
class ReadDetails:
    """``details`` as they are kept, beside what they mean.

    ``text`` is JSON without the secret. ``webhook`` is None for a schedule, and the other way round. ``secret`` is the
    one that came along; ``needs_secret``: the header is named, so there must be one, now or from before.
    """

    text: str
    schedule: Schedule | None = None
    webhook: WebhookDetails | None = None
    secret: str | None = None
    needs_secret: bool = False


def read_details(automation_type: AutomationType, text: str) -> ReadDetails:
    """Read and check ``details``. Raises InvalidValue ("details was invalid: ...")."""
    if automation_type is AutomationType.SCHEDULED:
        scheduled = decode(ScheduleDetails, text.encode(), "details")
        _check(scheduled.faults())
        return ReadDetails(_text(scheduled), schedule=scheduled.schedule())
    given = decode(WebhookDetails, text.encode(), "details")
    _check(given.faults())
    header = given.header
    shown = HeaderSecret(header.key, is_enabled=header.is_enabled) if header else None
    kept = msgspec.structs.replace(given, header_secret=shown, header_secret_key=None)
    secret = header.value if header else None
    return ReadDetails(_text(kept), webhook=kept, secret=secret, needs_secret=header is not None)


def _check(faults: Iterator[str]) -> None:
    if found := list(faults):
        raise InvalidValue(f"details was invalid: {'; '.join(found)}.", details=found)


def _text(details: ScheduleDetails | WebhookDetails) -> str:
    return msgspec.json.encode(details).decode()
