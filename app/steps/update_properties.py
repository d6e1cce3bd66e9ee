"""UpdateJobProperties with values: the server sets them, in the transaction that finishes the step.

A step of this type that has ``properties`` instead asks its user, and is not executed (docs/service-steps.md).
"""

from functools import partial

from app.domain.job import ReturnValue
from app.expressions.arcade import STEP_SUCCESS
from app.protocol.codes import MsgCode
from app.protocol.step_args import PropertiesArgs
from app.services.engine import Unit
from app.services.ports import Adoption, AtomicWork, StepContext
from app.services.recording import Jobs
from app.services.step_values import computed_values, set_values
from app.steps.arguments import read_args, step_failure


class UpdateJobProperties:
    """Executes UpdateJobProperties steps that say which values to set."""

    action_type = "UpdateJobProperties"
    adoption = Adoption.ATOMIC

    async def execute(self, context: StepContext) -> AtomicWork:
        args = read_args(context, PropertiesArgs)
        return AtomicWork(partial(_set, context, args))


def _set(context: StepContext, args: PropertiesArgs, unit: Unit, jobs: Jobs) -> ReturnValue:
    job = jobs.lock(context.run.job_id).job
    given = computed_values(job, context.started_by, args.property_values)
    with step_failure(MsgCode.INVALID_VALUE):
        set_values(unit, jobs, job.job_id, given)
    return STEP_SUCCESS
