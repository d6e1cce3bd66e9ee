"""Texts that an author may have written as expressions: in the arguments of steps, and in stored templates."""

from app.domain.access import SYSTEM
from app.domain.job import Job
from app.domain.paths import scope_of
from app.errors import StepFailed
from app.expressions.arcade import NO_FACTS, ArcadeError, evaluate_text, is_expression
from app.protocol.codes import MsgCode
from app.services.engine import Unit
from app.services.facts import with_facts


def computed(unit: Unit, job: Job, username: str, name: str, source: str) -> str:
    """``source`` computed where it is an expression; any other text is itself.

    Args:
        job: as it is in this transaction, with its facts or without.
        username: ``$currentUser``, which the server itself is not.
        name: what an error calls the text.

    Raises StepFailed.
    """
    if not is_expression(source):
        return source
    user = None if username == SYSTEM.username else username
    try:
        return evaluate_text(source, scope_of(job if job.facts is not NO_FACTS else with_facts(unit, job), user))
    except ArcadeError as error:
        raise StepFailed(f"{name} cannot be evaluated: {error}.", name=MsgCode.EXPRESSION_FAILED) from error
