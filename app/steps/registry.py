"""The executors of this server, one for each kind of service step it does."""

from collections.abc import Sequence

from app.services.ports import StepExecutor
from app.steps.create_job import CreateJob
from app.steps.update_properties import UpdateJobProperties


def executors() -> Sequence[StepExecutor]:
    """Every executor, made new: bootstrap hands them to the runner."""
    return [CreateJob(), UpdateJobProperties()]
