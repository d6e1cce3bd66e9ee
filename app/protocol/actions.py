"""The job action: the seven bodies of ``POST jobs/{jobId}/action``, and its answer (rest.md 5.6)."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from app.domain import commands
from app.domain.job import WebhookDependency
from app.domain.outcomes import Decision, StepOutcome
from app.errors import InvalidValue
from app.protocol.job_requests import Moment, read_moment
from app.protocol.reasons import ReasonAnswer, render_reasons
from app.protocol.text import decode

MAX_STEPS_AT_ONCE: Final = 1_000


class _StepsBody(msgspec.Struct, rename="camel", tag_field="type"):
    """An action on the steps named; none, null or [] mean the current steps (ReleaseHold: all held ones)."""

    step_ids: Annotated[list[str], Meta(max_length=MAX_STEPS_AT_ONCE)] | None = None

    @property
    def steps(self) -> tuple[str, ...]:
        """Each named step once, in the order named."""
        return tuple(dict.fromkeys(self.step_ids or ()))


class RunBody(_StepsBody, tag="Run"):
    """Start steps."""

    def command(self) -> commands.Action:
        return commands.Run(self.steps)


class FinishBody(_StepsBody, tag="Finish"):
    """Finish steps and move on."""

    def command(self) -> commands.Action:
        return commands.Finish(self.steps)


class StopBody(_StepsBody, tag="Stop"):
    """Stop running steps."""

    def command(self) -> commands.Action:
        return commands.Stop(self.steps)


class SetCurrentStepBody(_StepsBody, tag="SetCurrentStep"):
    """Make one step the only current one."""

    def command(self) -> commands.Action:
        if len(self.step_ids or ()) != 1:
            raise InvalidValue("SetCurrentStep takes exactly one step in stepIds.", details=["stepIds"])
        return commands.SetCurrentStep(self.steps)


class RefreshStatusBody(_StepsBody, tag="RefreshStatus"):
    """Ask running steps to look at their service again."""

    def command(self) -> commands.Action:
        return commands.RefreshStatus(self.steps)


class WebhookDependencyDetails(msgspec.Struct, rename="camel"):
    """The feature that a hold waits for, and the where clause that it is to meet, in the SQL of its service."""

    webhook_release_condition: Annotated[str, Meta(max_length=2_000, pattern=r"\S")]
    webhook_layer_id: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    webhook_object_id: Annotated[int, Meta(ge=0, le=2**53)]


class _DependencyBody(_StepsBody, rename="camel", tag_field="type"):
    """What a hold may wait for. "" means absent, as null does."""

    dependent_job_id: str | None = None
    dependent_step_id: str | None = None
    webhook_connection_id: str | None = None

    def check(self) -> None:
        """Raise InvalidValue for a step without its job."""
        if self.dependent_step_id and not self.dependent_job_id:
            raise InvalidValue("dependentStepId needs dependentJobId: a step is named within its job.")


class HoldBody(_DependencyBody, tag="Hold"):
    """Keep steps from running: by hand, until a moment, and/or until another job (or its step) is done or a feature
    meets a condition."""

    hold_scheduled_release: Moment | None = None
    webhook_dependency_details: WebhookDependencyDetails | None = None

    def command(self) -> commands.Action:
        self.check()
        return commands.SetHold(
            self.steps,
            scheduled_release_ms=read_moment(self.hold_scheduled_release, "holdScheduledRelease"),
            dependent_job_id=self.dependent_job_id or None,
            dependent_step_id=self.dependent_step_id or None,
            webhook=self._webhook(),
        )

    def _webhook(self) -> WebhookDependency | None:
        """Raises InvalidValue for a connection without the details, and the other way round."""
        details = self.webhook_dependency_details
        if not self.webhook_connection_id:
            if details is not None:
                raise InvalidValue("webhookDependencyDetails needs webhookConnectionId: whose feature is it?")
            return None
        if details is None:
            raise InvalidValue(
                "webhookConnectionId needs webhookDependencyDetails with webhookReleaseCondition, webhookLayerId and "
                "webhookObjectId: which feature is waited for, and what is it to be like?"
            )
        return WebhookDependency(
            self.webhook_connection_id,
            details.webhook_release_condition,
            details.webhook_layer_id,
            details.webhook_object_id,
        )


class ReleaseHoldBody(_DependencyBody, tag="ReleaseHold"):
    """Release manual and scheduled holds, or the dependency that is named."""

    def command(self) -> commands.Action:
        self.check()
        return commands.ReleaseHold(
            self.steps,
            self.dependent_job_id or None,
            self.dependent_step_id or None,
            self.webhook_connection_id or None,
        )


ActionBody = RunBody | FinishBody | StopBody | SetCurrentStepBody | HoldBody | ReleaseHoldBody | RefreshStatusBody

ACTION_TYPES: Final = ("Run", "Finish", "Stop", "SetCurrentStep", "Hold", "ReleaseHold", "RefreshStatus")

_decoder: msgspec.json.Decoder[ActionBody] = msgspec.json.Decoder(ActionBody)


class _TypeOnly(msgspec.Struct):
    type: str


def read_action(body: bytes) -> commands.Action:
    """Decode an action. Raises InvalidValue; for an unknown ``type`` it lists the right ones."""
    try:
        return decode(_decoder, body, "JobActionBody").command()
    except InvalidValue:
        given = decode(_TypeOnly, body, "JobActionBody").type
        if given not in ACTION_TYPES:
            fault = f"type {given!r} is none of {', '.join(ACTION_TYPES)}"
            raise InvalidValue(f"JobActionBody was invalid: {fault}.", details=[fault]) from None
        raise


# ---------------------------------------------------------------- the answer


class StepResponse(msgspec.Struct, rename="camel", omit_defaults=True):
    """What became of the action for one step; ``reasons`` (ours) is everything against it."""

    step_id: str
    status: str
    status_description: str
    reasons: list[ReasonAnswer] | None = None


class JobActionResponse(msgspec.Struct, rename="camel", omit_defaults=True):
    """``success`` only if every step's status is ``Success``.

    ``automaticResponses`` (ours) is there when a step should have started by itself and could not.
    """

    success: bool
    step_responses: list[StepResponse]
    automatic_responses: list[StepResponse] | None = None


def render_decision(decision: Decision) -> JobActionResponse:
    """The answer to an action that was decided, refused steps included (status 200)."""
    stuck = [_step_response(outcome) for outcome in decision.automatic if not outcome.is_success]
    return JobActionResponse(
        decision.success, [_step_response(outcome) for outcome in decision.outcomes], stuck or None
    )


def _step_response(outcome: StepOutcome) -> StepResponse:
    reasons = render_reasons(outcome.reasons) if outcome.reasons else None
    return StepResponse(outcome.step_id, outcome.status.value, outcome.description, reasons)
