"""Lists of the print dialect that give the numbers jobs are changed with (v3-jobs.md 2.3)."""

from app.domain import dialect_actions as rules
from app.errors import NotFound
from app.protocol.v3.ids import NumberId
from app.protocol.v3.neighbours import (
    PaymentAccount,
    ProjectLine,
    Queue,
    QueueClient,
    QueueInteraction,
    UserNumber,
)
from app.services import community
from app.services.engine import Unit
from app.services.ports import JobTemplate
from app.services.v3.sight import is_administrator, usable_templates


def queues(unit: Unit) -> list[Queue]:
    """The queues that the caller may print to."""
    numbers = unit.tx.template_numbers(unit.item)
    return [_queue(unit, numbers[template.template_id], template) for template in usable_templates(unit)]


def projects(unit: Unit) -> list[ProjectLine]:
    """All projects of the item."""
    return [ProjectLine(project.number, project.name) for project in unit.tx.projects(unit.item)]


def users(unit: Unit) -> list[UserNumber]:
    """Everybody who works in the item, as they see each other in the workflow API."""
    numbers = unit.tx.user_numbers()
    return [UserNumber(numbers[user.username], user.username, user.full_name) for user in community.users(unit)]


def accounts(unit: Unit, wanted: NumberId) -> list[PaymentAccount]:
    """What a user's jobs can be put on; one's own, or any user's for an administrator. Raises NotFound."""
    username = unit.tx.username_of(wanted.number) if wanted.fits(0) else None
    if username is None or not (username == unit.actor.username or is_administrator(unit)):
        raise NotFound("User not found", name="UserNotFound", details=[str(wanted.number)])
    return [PaymentAccount(username, f"internal.{wanted.number}")]


def _queue(unit: Unit, number: int, template: JobTemplate) -> Queue:
    found = unit.tx.diagram(unit.item, template.diagram_id)
    waits = found is not None and rules.release_step(found.diagram) is not None
    asks = found is not None and rules.needs_project(found.diagram)
    interaction = QueueInteraction(project=asks, payment_account=False)
    return Queue(number, template.name, "pull" if waits else "direct", QueueClient(interaction))
