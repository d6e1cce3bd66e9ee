"""Ends the holds whose features meet what was waited for: who asks the feature service is ``steps.webhook_look``."""

from dataclasses import dataclass

from app.domain.access import SYSTEM, Actor
from app.domain.commands import EndHold
from app.domain.runs import end_hold
from app.errors import AccessError, NotFound, PermissionDenied
from app.protocol.webhooks import Look
from app.services import webhook_connections
from app.services.access import read_actor
from app.services.engine import Unit
from app.services.ports import ServiceAccess, WatchedFeature, WebhookConnection
from app.services.recording import Jobs


@dataclass(frozen=True, slots=True)
class Watched:
    """What a look is about, and how to speak to the service."""

    features: tuple[WatchedFeature, ...]
    access: ServiceAccess


def watched_by(unit: Unit, look: Look) -> Watched | None:
    """What waits for features of a connection now. None: nothing does, or the connection is disabled or gone."""
    connection = unit.tx.webhook_connection(unit.item, look.connection_id)
    if connection is None or not connection.enabled:
        return None
    found = unit.tx.watched_features(unit.item, look.connection_id)
    features = tuple(each for each in found if look.hold_id in {None, each.hold_id})
    return Watched(features, webhook_connections.access_of(unit, connection)) if features else None


def release(unit: Unit, connection_id: str, job_id: str, hold_id: str) -> bool:
    """End a hold whose feature meets its condition, as the user the connection names, or as the server.

    Of several that come at once, on any nodes, one does it: the job is locked. False: it was done before, or the
    connection is disabled or gone by now. Raises PermissionDenied: none of the users named may do it now.
    """
    jobs = Jobs(unit)
    try:
        record = jobs.lock(job_id)
    except NotFound:
        return False
    connection = unit.tx.webhook_connection(unit.item, connection_id)
    if record.job.flow.hold(hold_id) is None or connection is None or not connection.enabled:
        return False
    diagram = jobs.diagram(record.job)
    decision = end_hold(record.job, diagram, EndHold(hold_id), jobs.moment(), _actor(unit, connection))
    if decision is None:
        return False
    jobs.save(record, decision, diagram)
    return True


def _actor(unit: Unit, connection: WebhookConnection) -> Actor:
    """Judged now, not when the connection was made."""
    for name in connection.run_as:
        try:
            actor = read_actor(unit.tx, unit.item, name)
        except AccessError:
            continue
        if actor.may(webhook_connections.HOLDS):
            return actor
    if not connection.run_as:
        return SYSTEM
    raise PermissionDenied(
        f"The condition of a hold is met, but {' and '.join(map(repr, connection.run_as))} may not release holds, and "
        f"the webhook connection {connection.name!r} acts as nobody else."
    )
