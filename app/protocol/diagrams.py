"""A diagram on the wire: the members this server reads, everything else stays in the document as its author sent it.

Source: rest.md 6, 14.3, 14.4. Times are milliseconds since 1970 (UTC) once read.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from app.domain.changes import LONGEST
from app.domain.diagram import DRAFT_VERSION, Diagram, Path, Schedule, Step, check_steps, initial_step
from app.domain.job import AssignedType
from app.domain.soundness import Finding, FindingKind
from app.errors import InvalidValue
from app.expressions import arcade
from app.protocol.documents import check_document, members_of, without_nulls, without_transport
from app.protocol.text import decode, parse_time

MAX_STEPS: Final = 1_000
"""Which step reaches which is a table of steps x steps; a thousand keeps it below 100 MB."""

_MAX_DELAY_MS: Final = 100 * 366 * 86_400_000
_UNIT_MS: Final = {"Seconds": 1_000, "Minutes": 60_000, "Hours": 3_600_000, "Days": 86_400_000, "Weeks": 604_800_000}


class WireSchedule(msgspec.Struct, rename="camel"):
    """When a step may start: ``Duration``, a while after it became current, or ``Date``, at ``date`` (ISO 8601).

    ``timeType`` is Seconds, Minutes (the default), Hours, Days or Weeks. Only ``Duration`` is attested by the
    reference; the rest is ours (docs/compatibility.md).
    """

    schedule_type: str | None = None
    time_duration: float | None = None
    time_type: str | None = None
    date: str | None = None


class WireAction(msgspec.Struct, rename="camel"):
    """What a step does. Any ``actionType`` and ``args`` are kept; unknown types behave like a manual step."""

    action_type: str | None = None
    args: dict[str, Any] | None = None


class WirePath(msgspec.Struct, rename="camel"):
    """A way out of a step. ``nextStep`` may name a step that is not there, as the reference allows. ``notifications``
    are ids of stored e-mail templates."""

    next_step: str
    expression: str | None = None
    label: str | None = None
    assigned_type: AssignedType | None = None
    assigned_to: str | None = None
    is_assigned_to_custom_expression: bool | None = None
    status: Annotated[str, Meta(max_length=LONGEST["status"])] | None = None
    notifications: list[Any] | str | None = None


class WireStep(msgspec.Struct, rename="camel"):
    """One step of a diagram."""

    id: str
    name: str | None = None
    action: WireAction | None = None
    automatic: bool | None = None
    proceed_next: bool | None = None
    can_skip: bool | None = None
    can_comment: bool | None = None
    comment_required: bool | None = None
    help_text: str | None = None
    help_link: str | None = None
    schedule: WireSchedule | None = None
    paths: list[WirePath] | None = None


class WireDiagram(msgspec.Struct, rename="camel"):
    """A WorkflowDiagram as sent to ``POST diagrams``. ``initialStepId`` may be ``""``: the server finds it."""

    diagram_name: str
    steps: list[WireStep]
    diagram_id: str | None = None
    description: str | None = None
    active: bool | None = None
    initial_step_id: str | None = None


class WireUpdate(msgspec.Struct, rename="camel"):
    """``POST diagrams/{diagramId}``: the next version, and whether a draft goes with it (default true)."""

    diagram: msgspec.Raw
    delete_draft: bool | None = None


class DiagramLine(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """One line of the list. ``active``: there is an activated version; ``draft``: there is a draft."""

    diagram_id: str
    diagram_name: str
    description: str | None = None
    active: bool
    draft: bool


class DiagramList(msgspec.Struct):
    """All diagrams of an item, in the order they were created."""

    diagrams: list[DiagramLine]


class WireMove(msgspec.Struct, rename="camel"):
    """A step of a run, and what it returned; null when it had no paths, or a question was skipped."""

    step_id: str
    return_value: str | int | float | bool | None


class WireFinding(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """*Ours*: what is wrong with an activated version, though it was stored (docs/soundness.md).

    ``run`` leads a new job there; ``currentSteps`` and ``pendingSteps`` are its steps then.
    """

    kind: FindingKind
    message: str
    step_ids: tuple[str, ...]
    run: list[WireMove]
    current_steps: tuple[str, ...]
    pending_steps: tuple[str, ...]
    return_values: tuple[str | int | float | bool | None, ...] = ()
    missing_step_ids: tuple[str, ...] = ()
    join_step_id: str | None = None


class DiagramCreated(msgspec.Struct, rename="camel", omit_defaults=True):
    """A new diagram's id. *Ours*: ``warnings``, where a version was activated and there are any."""

    diagram_id: str
    warnings: list[WireFinding] = []


class DiagramChecked(msgspec.Struct):
    """*Ours*: what would be wrong with a diagram, were it active; none of it would keep it from being stored."""

    warnings: list[WireFinding]


class DiagramUpdated(msgspec.Struct, rename="camel", omit_defaults=True):
    """The plain acknowledgement. *Ours*: ``warnings``, where a version was activated and there are any."""

    success: bool
    warnings: list[WireFinding] = []


class DiagramDocument(msgspec.Struct, frozen=True):
    """What a client sent, read: the members of ``WireDiagram``, beside the JSON text they came from.

    The text is untouched, but for top-level members ``f`` and ``token``, which are not part of the document.
    """

    head: WireDiagram
    body: bytes


_decoder = msgspec.json.Decoder(WireDiagram)


def read_document(body: bytes) -> DiagramDocument:
    """Decode a WorkflowDiagram. Raises InvalidValue ("WorkflowDiagram was invalid: ...") naming the member at fault."""
    head = decode(_decoder, body, "WorkflowDiagram")
    check_document(body, "WorkflowDiagram")
    return DiagramDocument(head, without_transport(body))


def parse_diagram(body: bytes, *, diagram_id: str, version: int) -> Diagram:
    """Read a stored or sent document as the domain's diagram.

    A draft (``version`` -1) may leave open where it starts; its ``initial_step_id`` is then "". Raises:
        InvalidValue: malformed, ids missing, reserved or doubled, or (not a draft) no single initial step.
    """
    return build_diagram(decode(_decoder, body, "WorkflowDiagram"), diagram_id=diagram_id, version=version)


def build_diagram(wire: WireDiagram, *, diagram_id: str, version: int) -> Diagram:
    """As ``parse_diagram``, from a document that is already decoded."""
    if len(wire.steps) > MAX_STEPS:
        raise _invalid(f"it has {len(wire.steps)} steps; at most {MAX_STEPS} are allowed")
    steps = tuple(_step(step) for step in wire.steps)
    check_steps(steps)
    start = _start(steps, wire.initial_step_id, is_draft=version == DRAFT_VERSION)
    return Diagram(diagram_id, wire.diagram_name, version, steps, start)


def check_expressions(diagram: Diagram) -> None:
    """Refuse a diagram with an expression that cannot be read; ``details`` names step, path and fault of each.

    Raises:
        InvalidValue: also for drafts, since a wrong expression would be found only when somebody finishes the step.
    """
    if faults := list(_expression_faults(diagram)):
        raise _invalid(*faults)


def render_findings(findings: Iterable[Finding]) -> list[WireFinding]:
    """What a soundness check has found, for the answer."""
    return [
        WireFinding(
            kind=found.kind,
            message=found.message,
            step_ids=found.step_ids,
            run=[WireMove(move.step_id, move.value) for move in found.moves],
            current_steps=found.current,
            pending_steps=found.waiting,
            return_values=found.values,
            missing_step_ids=found.missing,
            join_step_id=found.join,
        )
        for found in findings
    ]


def render_diagram(body: bytes, diagram: Diagram) -> dict[str, Any]:
    """The document as its author sent it, with what the server knows better.

    That is: id, version, initial step, and whether this version is a draft. Members that clients need and an author
    may leave out or send as ``""`` (``annotations``, ``displayGrid``) are there.
    """
    document = members_of(body)
    initial = diagram.step(diagram.initial_step_id)
    document |= {
        "diagramId": diagram.diagram_id,
        "diagramVersion": diagram.version,
        "diagramName": diagram.name,
        "initialStepId": diagram.initial_step_id,
        "initialStepName": initial.name if initial else "",
        "active": diagram.version != DRAFT_VERSION,
    }
    if bytes(document.get("annotations", b"null")) in {b'""', b"null"}:
        document["annotations"] = []
    document.setdefault("displayGrid", True)
    return without_nulls(document)


def _invalid(*faults: str) -> InvalidValue:
    return InvalidValue(f"WorkflowDiagram was invalid: {'; '.join(faults).rstrip('.')}.", details=faults)


def _start(steps: tuple[Step, ...], named: str | None, *, is_draft: bool) -> str:
    try:
        return initial_step(steps, named or None)
    except InvalidValue:
        if is_draft:
            return ""
        raise


def _step(wire: WireStep) -> Step:
    action = wire.action or WireAction()
    return Step(
        step_id=wire.id,
        name=wire.name or wire.id,
        action_type=action.action_type or "Manual",
        args=action.args or {},
        automatic=bool(wire.automatic),
        proceed_next=bool(wire.proceed_next),
        can_skip=bool(wire.can_skip),
        can_comment=wire.can_comment is not False,
        comment_required=bool(wire.comment_required),
        help_text=wire.help_text,
        help_link=wire.help_link,
        schedule=_schedule(wire.id, wire.schedule),
        paths=tuple(_path(path) for path in wire.paths or ()),
    )


def _path(wire: WirePath) -> Path:
    return Path(
        next_step=wire.next_step,
        expression=wire.expression or None,
        assigned_type=wire.assigned_type or AssignedType.UNASSIGNED,
        assigned_to=wire.assigned_to or None,
        is_custom_assignment=bool(wire.is_assigned_to_custom_expression),
        status=wire.status or None,
        label=wire.label or None,
        notifications=tuple(name for name in wire.notifications or () if isinstance(name, str) and name),
    )


def _schedule(step_id: str, wire: WireSchedule | None) -> Schedule | None:
    if wire is None or wire.schedule_type in {None, "", "None"}:
        return None
    if wire.schedule_type == "Duration":
        return Schedule(after_ms=_delay_ms(step_id, wire))
    if wire.schedule_type == "Date":
        return Schedule(at_ms=_moment_ms(step_id, wire))
    raise _invalid(f"step {step_id!r}: schedule.scheduleType {wire.schedule_type!r} is neither 'Duration' nor 'Date'")


def _delay_ms(step_id: str, wire: WireSchedule) -> int:
    unit = _UNIT_MS.get(wire.time_type or "Minutes")
    if unit is None:
        raise _invalid(f"step {step_id!r}: schedule.timeType {wire.time_type!r} is none of {', '.join(_UNIT_MS)}")
    delay = -1.0 if wire.time_duration is None else wire.time_duration * unit
    if not 0 <= delay <= _MAX_DELAY_MS:
        raise _invalid(f"step {step_id!r}: schedule.timeDuration must be a number from 0 to 100 years")
    return round(delay)


def _moment_ms(step_id: str, wire: WireSchedule) -> int:
    if wire.date is None:
        raise _invalid(f"step {step_id!r}: schedule.date is missing")
    try:
        return parse_time(wire.date)
    except InvalidValue as error:
        raise _invalid(f"step {step_id!r}: schedule.date: {error.message}") from error


def _expression_faults(diagram: Diagram) -> Iterator[str]:
    for step in diagram.steps:
        for number, path in enumerate(step.paths):
            place = f"step {step.step_id!r} ({step.name}), paths[{number}]"
            if path.expression:
                yield from _expression_fault(f"{place}.expression", path.expression)
            if path.is_custom_assignment and path.assigned_to:
                yield from _expression_fault(f"{place}.assignedTo", path.assigned_to)


def _expression_fault(place: str, source: str) -> Iterator[str]:
    try:
        arcade.parse(source)
    except InvalidValue as error:
        yield f"{place}: {error.message.rstrip('.')}"
