"""Sends web requests (docs/service-steps.md). A takeover sends the request again, with the same ``Idempotency-Key``."""

import asyncio
from collections.abc import AsyncIterator, Sequence
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
from app.services.attachment_files import AttachmentFiles
from app.services.ports import Adoption, AtomicWork, StepContext
from app.steps import answers
from app.steps.arguments import read_args
from app.steps.http import HttpClient
from app.steps.limits import FairLimit, in_turn
from app.steps.outgoing import Outgoing, Reply, host_of, origin_of
from app.steps.rendering import Render, rendered

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
"""The run's id, the same for every try of it, on whichever node: a server that knows the header acts once."""

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
        args = read_args(context, WebRequestArgs)
        request = await rendered(context, partial(request_of, args))
        async with in_turn(self._hosts, host_of(request.url), context, "other steps at the same server"):
            reply = await self._try(context, args, request)
        if not args.expects(reply.status):
            text = f"{origin_of(request.url)} answered {told_status(reply.status)}, which the step does not expect."
            raise StepFailed(text, name=MsgCode.UNEXPECTED_STATUS)
        found = answers.find(args.response, document_of(args.response, reply), status=reply.status)
        attached = await self._kept(context, args.response, reply)
        return AtomicWork(lambda unit, jobs: answers.keep(unit, jobs, context.run, found, attached))

    async def _kept(self, context: StepContext, use: WebAnswerUse | None, reply: Reply) -> NewAttachment | None:
        """The answer as a file, where the step wants one: stored now, attached with the step's end."""
        wanted = use.attachment if use is not None else None
        if wanted is None:
            return None
        name = await rendered(context, lambda render: render.text("fileName", wanted.file_name))
        try:
            content = await self._files.keep(_once(reply.body), name=name, media_type=reply.media_type or None)
        except QuotaExceeded as error:
            raise StepFailed(str(error), name=MsgCode.RESPONSE_TOO_LARGE) from error
        return NewAttachment(content=content, folder=wanted.folder)

    async def _try(self, context: StepContext, args: WebRequestArgs, request: Outgoing) -> Reply:
        """Send until there is an answer that further tries would not change, or none is left."""
        tries = args.retries or 0
        for pause_s in self._pauses_s[:tries]:
            try:
                reply = await self._http.send(request, timeout_s=args.timeout_s)
                if reply.status not in _TRIED_AGAIN or args.expects(reply.status):
                    return reply
                why = f"{origin_of(request.url)} answered {told_status(reply.status)}."
            except StepError as error:
                if error.name not in _BROKEN_OFF:
                    raise
                why = str(error)
            context.progress(f"{why} The request is sent again in {pause_s:g} s.", MsgCode.RETRYING)
            await asyncio.sleep(pause_s)
        return await self._http.send(request, timeout_s=args.timeout_s)


def request_of(args: WebRequestArgs, render: Render) -> Outgoing:
    """The request that the arguments describe. Raises StepFailed."""
    url = _with_query(render.url(args.url), render.pairs("query", args.query))
    body = render.content("body", args.body).encode() if args.body is not None else b""
    headers = (*render.pairs("headers", args.headers), *render.credentials(args.authentication))
    if body and not any(name.lower() == "content-type" for name, _ in headers):
        headers = (*headers, ("Content-Type", _guess_type(body)))
    headers = (*headers, (IDEMPOTENCY_KEY, render.context.run.run_id))
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
