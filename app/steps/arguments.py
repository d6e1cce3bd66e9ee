"""From a step's ``action.args`` to what its executor works with: checked, and with its expressions computed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec

from app.domain.paths import scope_of
from app.errors import BackendError, GatewayError, StepError, StepFailed
from app.expressions.arcade import ArcadeError, Encoding, evaluate_text, is_expression
from app.protocol.codes import MsgCode
from app.services.ports import StepContext

T = TypeVar("T")


def read_args(context: StepContext, schema: type[T]) -> T:
    """The step's arguments as ``schema``; members it does not know are ignored. Raises StepFailed."""
    return convert_args(context.step.args, schema)


def convert_args(args: Any, schema: type[T]) -> T:
    """As ``read_args``, of arguments that come from elsewhere."""
    try:
        return msgspec.convert(args, schema)
    except msgspec.ValidationError as error:
        raise StepFailed(f"The step's arguments are not right: {error}.", name=MsgCode.INVALID_ARGS) from error


def text_of(context: StepContext, name: str, source: str, *, encoding: Encoding = Encoding.STANDARD) -> str:
    """``source`` computed, where it is an expression; any other text is itself.

    ``name`` is what an error calls the argument, ``encoding`` how a job's values are written into it. Raises
    StepFailed.
    """
    if not is_expression(source):
        return source
    try:
        return evaluate_text(source, scope_of(context.job, context.started_by, encoding=encoding))
    except ArcadeError as error:
        raise StepFailed(f"{name} cannot be evaluated: {error}.", name=MsgCode.EXPRESSION_FAILED) from error


@contextmanager
def step_failure(code: MsgCode) -> Iterator[None]:
    """Let what a use case refuses fail the step under ``code``; the database's own troubles pass."""
    try:
        yield
    except (StepError, BackendError):
        raise
    except GatewayError as error:
        raise StepFailed(error.message, name=code, details=error.details) from error
