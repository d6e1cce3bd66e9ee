"""CreateJob: jobs of a template, made in the transaction that finishes the step (docs/service-steps.md)."""

from functools import partial

from app.domain.job import ReturnValue
from app.expressions.arcade import STEP_SUCCESS
from app.protocol.codes import MsgCode
from app.protocol.create_job import CreateJobArgs
from app.services.engine import Unit
from app.services.ports import Adoption, AtomicWork, StepContext
from app.services.recording import Jobs
from app.services.step_jobs import create_jobs
from app.steps.arguments import read_args, step_failure


class CreateJob:
    """Executes CreateJob steps."""

    action_type = "CreateJob"
    adoption = Adoption.ATOMIC

    async def execute(self, context: StepContext) -> AtomicWork:
        args = read_args(context, CreateJobArgs)
        return AtomicWork(partial(_create, context, args))


def _create(context: StepContext, args: CreateJobArgs, unit: Unit, jobs: Jobs) -> ReturnValue:
    with step_failure(MsgCode.JOBS_NOT_CREATED):
        create_jobs(unit, jobs, context.run, context.started_by, args)
    return STEP_SUCCESS
