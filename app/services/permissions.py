"""What the caller may do with a job now. Reading it needs access to the item, which the engine has checked."""

from app.domain.actions import Moment
from app.domain.permissions import job_permissions, step_permissions
from app.protocol.permissions import AllowedActionsAnswer, StepPermissions, render_permissions
from app.services.engine import Unit
from app.services.queries import diagram_of, find_job


def allowed_actions(unit: Unit, job_id: str) -> AllowedActionsAnswer:
    """What may be done, and everything against what may not. Raises NotFound (JobNotFound)."""
    job = find_job(unit, job_id).job
    diagram = diagram_of(unit, job)
    latest = unit.tx.diagram(unit.item, job.diagram_id)
    newest = latest.diagram if latest and latest.diagram.version > 0 else None
    whole = job_permissions(job, diagram, newest, unit.actor, Moment(unit.now_ms, unit.new_id))
    return AllowedActionsAnswer(
        job_id=job.job_id,
        actions=render_permissions(whole),
        steps=[
            StepPermissions(
                step_id=current.step_id,
                actions=render_permissions(step_permissions(job, diagram, current.step_id, unit.actor)),
            )
            for current in job.flow.steps
        ],
    )
