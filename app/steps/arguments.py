"""From a step's ``action.args`` to what its executor works with, and from refusals to the step's failure."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec

from app.errors import BackendError, GatewayError, StepError, StepFailed
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


@contextmanager
def step_failure(code: MsgCode) -> Iterator[None]:
    """Let what a use case refuses fail the step under ``code``; the database's own troubles pass."""
    try:
        yield
    except (StepError, BackendError):
        raise
    except GatewayError as error:
        raise StepFailed(error.message, name=code, details=error.details) from error
