"""Expressions outside of a job's own decisions: texts of service steps and templates, searches, ``evaluateArcade``.

``scope`` is what they are evaluated in, inside a transaction: ``evaluate_text(text, scope(unit, job))``.
"""

from app.domain.job import Job, ReturnValue
from app.domain.paths import scope_of
from app.expressions.arcade import Encoding, Scope, evaluate_text
from app.services.engine import Unit
from app.services.facts import TxFacts, with_facts
from app.services.recording import no_such_job


def scope(
    unit: Unit,
    job: Job | None = None,
    *,
    return_value: ReturnValue = None,
    encoding: Encoding = Encoding.STANDARD,
) -> Scope:
    """What an expression may use here: the actor as ``$currentUser``, the job as ``$job``, and facts to ask.

    Good for as long as the transaction lasts. For the server's own work ``$currentUser`` is null.
    """
    username = None if unit.actor.is_system else unit.actor.username
    if job is None:
        return Scope(current_user=username, facts=TxFacts(unit), encoding=encoding)
    return scope_of(with_facts(unit, job), username, return_value, encoding=encoding)


def evaluate(unit: Unit, expression: str, job_id: str | None, encoding: Encoding) -> str:
    """Evaluate an expression for its caller, in the context of a job if one is named (rest.md 13.1).

    Raises:
        NotFound: no such job. ArcadeError: the expression cannot be read or evaluated.
    """
    record = unit.tx.job(unit.item, job_id) if job_id is not None else None
    if job_id is not None and record is None:
        raise no_such_job(job_id)
    return evaluate_text(expression, scope(unit, record.job if record else None, encoding=encoding))
