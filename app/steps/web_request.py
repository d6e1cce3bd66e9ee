"""Sends web requests (docs/service-steps.md). A takeover sends the request again, with the same ``Idempotency-Key``."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import httpx2
import msgspec

from app.domain.attachments import NewAttachment
from app.domain.job import ReturnValue
from app.errors import QuotaExceeded, StepError, StepFailed
from app.protocol.codes import MsgCode
from app.protocol.service_args import STATUS_CODE, AnswerUse
from app.protocol.web_request import WebAnswerUse, WebRequestArgs
from app.services import web_requests
from app.services.attachment_files import AttachmentFiles
from app.services.ports import Adoption, AtomicWork, StepContext
from app.steps import answers
from app.steps.arguments import read_args
from app.steps.http import HttpClient
from app.steps.limits import FairLimit, in_turn
from app.steps.outgoing import Outgoing, Reply, host_of, origin_of
from app.steps.rendering import Secrets, composed

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
"""The same for every try of one request, on whichever node: a server that knows the header acts once."""

PAUSES_S: Final = (0.5, 2.0, 5.0, 10.0, 20.0)
"""Before the second try, the third, and so on."""

_TRIED_AGAIN: Final = frozenset({502, 503, 504})
_BROKEN_OFF: Final = frozenset({MsgCode.CONNECTION_FAILED, MsgCode.BROKEN_RESPONSE})


class WebRequest:
    """Implements ``StepExecutor``.

    Args:
        files: where answers are kept that become attachments.
        hosts: how many steps may be at one host at a time.
    """

    action_type = "WebRequest"
    adoption = Adoption.AGAIN

    def __init__(
        self, http: HttpClient, files: AttachmentFiles, hosts: FairLimit, *, pauses_s: Sequence[float] = PAUSES_S
    ) -> None:
        self._http = http
        self._files = files
        self._hosts = hosts
        self._pauses_s = pauses_s

    async def execute(self, context: StepContext) -> ReturnValue | AtomicWork:
        args = await composed(context, partial(web_requests.compose, args=read_args(context, WebRequestArgs)))
        request = request_of(args, await context.services.settings(), key=context.run.run_id)
        async with in_turn(self._hosts, host_of(request.url), context, "other steps at the same server"):
            reply = await send_patiently(self._http, args, request, pauses_s=self._pauses_s, told=context.progress)
        check_expected(args, reply)
        found = answers.find(args.response, document_of(args.response, reply), status=reply.status)
        attached = await self._kept(args.response, reply)
        return AtomicWork(lambda unit, jobs: answers.keep(unit, jobs, context.run, found, attached))

    async def _kept(self, use: WebAnswerUse | None, reply: Reply) -> NewAttachment | None:
        """The answer as a file, where the step wants one: stored now, attached with the step's end."""
        wanted = use.attachment if use is not None else None
        if wanted is None:
            return None
        try:
            content = await self._files.keep(
                _once(reply.body), name=wanted.file_name, media_type=reply.media_type or None
            )
        except QuotaExceeded as error:
            raise StepFailed(str(error), name=MsgCode.RESPONSE_TOO_LARGE) from error
        return NewAttachment(content=content, folder=wanted.folder)


async def send_patiently(
    http: HttpClient,
    args: WebRequestArgs,
    request: Outgoing,
    *,
    pauses_s: Sequence[float],
    told: Callable[[str, str], None],
) -> Reply:
    """Send until there is an answer that further tries would not change, or none is left.

    Args:
        pauses_s: before each further try, as many as there may be at most.
        told: called before each pause, with a sentence and its code.
    """
    for pause_s in pauses_s[: args.retries or 0]:
        try:
            reply = await http.send(request, timeout_s=args.timeout_s)
            if reply.status not in _TRIED_AGAIN or args.expects(reply.status):
                return reply
            why = f"{origin_of(request.url)} answered {told_status(reply.status)}."
        except StepError as error:
            if error.name not in _BROKEN_OFF:
                raise
            why = str(error)
        told(f"{why} The request is sent again in {pause_s:g} s.", MsgCode.RETRYING)
        await asyncio.sleep(pause_s)
    return await http.send(request, timeout_s=args.timeout_s)


def check_expected(args: WebRequestArgs, reply: Reply) -> None:
    """Raise StepFailed unless the answer's status is one that is expected."""
    if not args.expects(reply.status):
        text = f"{origin_of(reply.url)} answered {told_status(reply.status)}, which is not expected."
        raise StepFailed(text, name=MsgCode.UNEXPECTED_STATUS)


def request_of(args: WebRequestArgs, settings: Mapping[str, str], *, key: str) -> Outgoing:
    """The request that the arguments describe. Raises StepFailed.

    Args:
        args: computed (``services.web_requests``).
        settings: the item's, secrets included.
        key: the same for each try.
    """
    secrets = Secrets(settings)
    url = _with_query(args.url, secrets.pairs(args.query))
    body = (args.body or "").encode()
    headers = (*secrets.pairs(args.headers), *secrets.credentials(args.authentication))
    if body and not any(name.lower() == "content-type" for name, _ in headers):
        headers = (*headers, ("Content-Type", _guess_type(body)))
    headers = (*headers, (IDEMPOTENCY_KEY, key))
    return Outgoing(args.method or ("POST" if body else "GET"), url, headers, body)


def _with_query(url: str, pairs: Sequence[tuple[str, str]]) -> str:
    """The address with further parameters; those it has already stay as they are written."""
    origin_of(url)
    if not pairs:
        return url
    base, _, _ = url.partition("#")
    added = str(httpx2.QueryParams(list(pairs)))
    glue = "" if base.endswith(("?", "&")) else "&" if "?" in base else "?"
    return f"{base}{glue}{added}"


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _guess_type(body: bytes) -> str:
    """What a body is whose author does not say: JSON if it reads as such."""
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError:
        return "text/plain; charset=utf-8"
    return "application/json"


def document_of(use: AnswerUse | None, reply: Reply) -> Any:
    """The answer as JSON, where the step looks into it. Raises StepFailed when it is none."""
    if use is None or not (use.properties or use.outputs or use.return_value not in {None, STATUS_CODE}):
        return None
    try:
        return msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        kind = f" but {reply.media_type}" if reply.media_type and "json" not in reply.media_type else ""
        text = f"{origin_of(reply.url)} did not answer with JSON{kind}, and the step looks for a value in it."
        raise StepFailed(text, name=MsgCode.UNEXPECTED_RESPONSE) from error


def told_status(status: int) -> str:
    """A status with its words, where it has some."""
    try:
        return f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)
