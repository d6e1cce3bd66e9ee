"""``evaluateArcade`` on the wire (rest.md 13.1)."""

from typing import Literal

import msgspec

from app.errors import InvalidValue
from app.expressions.arcade import Encoding


class ArcadeContext(msgspec.Struct, rename="camel"):
    """What ``$job`` stands for."""

    job_id: str | None = None


class ArcadeBody(msgspec.Struct, rename="camel"):
    """An expression, what it may ask about, and how the values of job functions are written into its text.

    ``context`` is needed with ``JobContext``, and ignored with ``BaseContext``.
    """

    expression: str
    context_type: Literal["BaseContext", "JobContext"] | None = None
    context: ArcadeContext | None = None
    parse_mode: Encoding | None = None


class ArcadeAnswer(msgspec.Struct):
    """The value as text: numbers as Arcade writes them, null is empty, dates are ISO 8601, arrays are JSON."""

    result: str


def job_of(body: ArcadeBody) -> str | None:
    """The id of the job that is the context. Raises InvalidValue when ``JobContext`` names none."""
    if body.context_type != "JobContext":
        return None
    if body.context is None or not body.context.job_id:
        raise InvalidValue('contextType JobContext needs the job: "context": {"jobId": "..."}.')
    return body.context.job_id
