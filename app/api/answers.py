"""``POST jobs/{jobId}/steps/{stepId}/response``: a step's answer over REST (ours; the body is the websocket's)."""

import asyncio
from dataclasses import replace
from functools import partial
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.keyed import answer, key_of
from app.api.requests import caller_of, path_text, read_json, refused
from app.api.responses import JsonResponse
from app.api.state import Gateway, gateway
from app.errors import RuleViolation
from app.protocol.answers import decode_answer
from app.services import answers
from app.services.answers import AnswerReceipt
from app.services.ports import AnswerRecord

VERDICT_WAIT_S: Final = 5.0
"""How long the answer waits to hear whether it was applied; afterwards it is told as ``stored``, which is kept."""


class AnswerTaken(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """The answer is stored for good; ``applied``: the step has used it, ``stored``: it will."""

    success: bool
    stage: str
    prompt_id: str | None = None
    request_id: str | None = None


async def respond(request: Request) -> Response:
    """Answer the open question of a step. Under an idempotency key nobody waits for the verdict: it comes after the
    commit, and what is kept was written within.

    Raises:
        RuleViolation: rejected; ``name`` is already_answered, not_waiting, not_allowed or invalid.
    """
    caller = caller_of(request)
    job_id, step_id = path_text(request, "job_id"), path_text(request, "step_id")
    body = decode_answer(await read_json(request, "StepInformation"), job_id=job_id, step_id=step_id)
    use_case = partial(
        answers.store,
        job_id=job_id,
        step_id=step_id,
        answer=body.answer,
        request_id=body.request_id,
        prompt_id=body.prompt_id,
    )
    if key_of(request) is not None:
        return await answer(request, caller, use_case, _taken)
    receipt = await gateway(request).engine.execute(caller, refused(use_case))
    if receipt.stage == answers.STORED and receipt.answer_id is not None:
        verdict = await verdict_on(gateway(request), receipt.answer_id)
        if verdict is not None:
            receipt = replace(receipt, stage=verdict.stage, reason=verdict.reason)
    return JsonResponse(_taken(receipt))


def _taken(receipt: AnswerReceipt) -> AnswerTaken:
    if receipt.stage == answers.REJECTED:
        raise RuleViolation(receipt.msg or "The answer could not be applied.", name=receipt.reason or "invalid")
    return AnswerTaken(success=True, stage=receipt.stage, prompt_id=receipt.prompt_id, request_id=receipt.request_id)


async def verdict_on(parts: Gateway, answer_id: int) -> AnswerRecord | None:
    """The final verdict, or None when it is not known in time."""
    told: asyncio.Future[AnswerRecord] = asyncio.get_running_loop().create_future()

    def tell(verdict: AnswerRecord) -> None:
        if not told.done():
            told.set_result(verdict)

    parts.hub.watch_answer(answer_id, tell)
    try:
        return await asyncio.wait_for(told, VERDICT_WAIT_S)
    except TimeoutError:
        return None
    finally:
        parts.hub.unwatch_answer(answer_id, tell)
