"""When it is worth while to look whether features meet what holds wait for: a dispatch, carried out after the commit.

An event of a feature service names no feature, and a client may set a hold for what has happened already. So a look is
asked for by both, and what it finds is all that counts: events may come twice, late, or forged, and do no harm.
"""

from typing import Final

import msgspec

from app.domain.job import Hold
from app.protocol.webhooks import Look
from app.services.engine import Unit

LOOK_KIND: Final = "WebhookLook"


def look_at_hold(unit: Unit, job_id: str, hold: Hold) -> None:
    """Look, after this transaction, whether a new hold's feature is what it is to be already."""
    if hold.webhook is not None:
        _add(unit, Look(hold.webhook.connection_id, hold.hold_id), job_id, hold.step_id)


def look_at_all(unit: Unit, connection_id: str) -> None:
    """Look at all that waits for features of a connection. One look that has not begun does for any number of events:
    it will see what each of them tells of."""
    content = msgspec.json.encode(Look(connection_id))
    if not unit.tx.is_dispatch_due(unit.item, job_id="", kind=LOOK_KIND, content=content, now_ms=unit.now_ms):
        _add(unit, Look(connection_id))


def _add(unit: Unit, look: Look, job_id: str = "", step_id: str | None = None) -> None:
    unit.tx.add_dispatch(
        unit.item,
        job_id=job_id,
        step_id=step_id,
        kind=LOOK_KIND,
        title="looking whether a feature meets the condition of a hold",
        content=msgspec.json.encode(look),
        due_ms=unit.now_ms,
    )
    unit.effects.dispatches_added = True
