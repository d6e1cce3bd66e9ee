"""What may be done with a job now, on the wire (our extension)."""

from collections.abc import Iterable

import msgspec

from app.domain.permissions import Permission
from app.protocol.reasons import ReasonAnswer, render_lift


class PermissionAnswer(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """An act, by the name it is asked for with; where it is not allowed, ``reasons`` is everything against it."""

    name: str
    allowed: bool
    reasons: list[ReasonAnswer] = []


class StepPermissions(msgspec.Struct, rename="camel", kw_only=True):
    """A current step, and what may be done with it."""

    step_id: str
    actions: list[PermissionAnswer]


class AllowedActionsAnswer(msgspec.Struct, rename="camel", kw_only=True):
    """What the caller may do: with each current step, and (``actions``) with the job as a whole."""

    job_id: str
    actions: list[PermissionAnswer]
    steps: list[StepPermissions]


def render_permissions(permissions: Iterable[Permission]) -> list[PermissionAnswer]:
    """Permissions as they go out."""
    return [
        PermissionAnswer(
            name=each.name,
            allowed=not each.refusals,
            reasons=[
                ReasonAnswer(
                    refusal.status, refusal.description, [render_lift(lift) for lift in refusal.lifts], refusal.hold_id
                )
                for refusal in each.refusals
            ],
        )
        for each in permissions
    ]
