"""Texts that an author may have written as expressions: in the arguments of steps, and in stored templates."""

from dataclasses import dataclass

from app.domain.access import SYSTEM
from app.domain.job import Job
from app.domain.paths import scope_of
from app.errors import StepFailed
from app.expressions.arcade import NO_FACTS, ArcadeError, Encoding, evaluate_text, is_expression
from app.protocol.codes import MsgCode
from app.services.engine import Unit
from app.services.facts import with_facts


@dataclass(frozen=True, slots=True)
class Texts:
    """Computes texts about a job, all of one moment if it was made in a transaction (``texts_about``).

    Args:
        username: ``$currentUser``, which the server itself is not.
    """

    job: Job
    username: str

    def text(self, name: str, source: str, *, encoding: Encoding = Encoding.STANDARD) -> str:
        """``source`` computed where it is an expression; any other text is itself.

        ``name`` is what an error calls the text, ``encoding`` how values of the job are written into it.
        Raises StepFailed.
        """
        if not is_expression(source):
            return source
        user = None if self.username == SYSTEM.username else self.username
        try:
            return evaluate_text(source, scope_of(self.job, user, encoding=encoding))
        except ArcadeError as error:
            raise StepFailed(f"{name} cannot be evaluated: {error}.", name=MsgCode.EXPRESSION_FAILED) from error

    def content(self, name: str, source: str) -> str:
        """As ``text``, but what begins like a JSON object or array is JSON, not an Arcade dictionary or array."""
        return source if source.lstrip().startswith(("{", "[")) else self.text(name, source)

    def url(self, source: str) -> str:
        """An address; a job's values are encoded in it, so that none of them leads elsewhere. Raises StepFailed."""
        return self.text("url", source, encoding=Encoding.URL)


def texts_about(unit: Unit, job: Job, username: str) -> Texts:
    """For as long as the transaction lasts.

    Args:
        job: as it is in this transaction, with its facts or without.
    """
    return Texts(job if job.facts is not NO_FACTS else with_facts(unit, job), username)
