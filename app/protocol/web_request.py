"""The arguments of a WebRequest step (docs/service-steps.md). Texts may be Arcade where it says so."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from app.protocol.service_args import (
    AnswerUse,
    Authentication,
    Pair,
    faults_of_authentication,
    faults_of_pairs,
    faults_of_use,
)

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

DEFAULT_TIMEOUT_S = 30.0


class KeptAnswer(msgspec.Struct, rename="camel"):
    """Where an answer is kept as a file of the job; ``fileName`` may be Arcade."""

    file_name: Annotated[str, Meta(min_length=1)]
    folder: str | None = None


class WebAnswerUse(AnswerUse, rename="camel"):
    """As ``AnswerUse``; the paths lead into a JSON answer."""

    attachment: KeptAnswer | None = None


class WebRequestArgs(msgspec.Struct, rename="camel"):
    """A request. ``url``, ``body`` and the values of ``headers`` and ``query`` may be Arcade.

    ``timeout`` is in seconds, for one try. ``retries`` are further tries after a connection that failed, or a status of
    502, 503 or 504. Without ``expectedStatusCodes`` every 2xx is right.
    """

    url: Annotated[str, Meta(min_length=1)]
    method: Method | None = None
    headers: list[Pair] | None = None
    query: list[Pair] | None = None
    body: str | None = None
    authentication: Authentication | None = None
    timeout: Annotated[float, Meta(gt=0, le=600)] | None = None
    retries: Annotated[int, Meta(ge=0, le=5)] | None = None
    expected_status_codes: list[Annotated[int, Meta(ge=100, le=599)]] | None = None
    response: WebAnswerUse | None = None

    @property
    def timeout_s(self) -> float:
        return self.timeout or DEFAULT_TIMEOUT_S

    def expects(self, status: int) -> bool:
        return status in self.expected_status_codes if self.expected_status_codes else 200 <= status < 300

    def faults(self) -> Iterator[str]:
        """What is wrong beyond the types."""
        yield from faults_of_pairs("headers", self.headers)
        yield from faults_of_pairs("query", self.query)
        yield from faults_of_authentication(self.authentication)
        yield from faults_of_use(self.response)
