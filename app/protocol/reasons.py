"""Why not: every reason against an act, machine-readable, with who or what could lift each (our extension)."""

import msgspec

from app.domain.outcomes import Lift, Reason
from app.protocol.text import iso


class LiftAnswer(msgspec.Struct, rename="camel", omit_defaults=True):
    """Who or what could lift a refusal (``app.domain.outcomes.Lift``); ``at`` is ISO 8601."""

    kind: str
    name: str | None = None
    job_id: str | None = None
    step_id: str | None = None
    at: str | None = None


class ReasonAnswer(msgspec.Struct, rename="camel", omit_defaults=True):
    """One reason against it; any one of ``liftedBy`` would do, none means that nothing can."""

    status: str
    description: str
    lifted_by: list[LiftAnswer]
    hold_id: str | None = None


def render_reasons(reasons: tuple[Reason, ...]) -> list[ReasonAnswer]:
    """Reasons as they go out."""
    return [
        ReasonAnswer(
            reason.status.value, reason.description, [render_lift(lift) for lift in reason.lifts], reason.hold_id
        )
        for reason in reasons
    ]


def render_lift(lift: Lift) -> LiftAnswer:
    """Who or what could lift a refusal, as it goes out."""
    return LiftAnswer(
        lift.kind.value, lift.name, lift.job_id, lift.step_id, None if lift.at_ms is None else iso(lift.at_ms)
    )
