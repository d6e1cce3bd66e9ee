"""``POST jobs/{jobId}/steps/{stepId}/response``: a step's answer over REST (ours; the body is the websocket's)."""

import asyncio
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.requests import caller_of, path_text, read_json, refused
from app.api.responses import JsonResponse
from app.api.state import Gateway, gateway
from app.errors import RuleViolation
from app.protocol.answers import decode_answer
from app.services import answers
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
    """Answer the open question of a step.

    Raises:
        RuleViolation: rejected; ``name`` is already_answered, not_waiting, not_allowed or invalid.
    """
    caller = caller_of(request)
    job_id, step_id = path_text(request, "job_id"), path_text(request, "step_id")
    body = decode_answer(await read_json(request, "StepInformation"), job_id=job_id, step_id=step_id)
    receipt = await gateway(request).engine.execute(
        caller,
        refused(
            lambda unit: answers.store(
                unit,
                job_id=job_id,
                step_id=step_id,
                answer=body.answer,
                request_id=body.request_id,
                prompt_id=body.prompt_id,
            )
        ),
    )
    stage, reason, msg = receipt.stage, receipt.reason, receipt.msg
    if stage == "stored" and receipt.answer_id is not None:
        verdict = await _verdict(gateway(request), receipt.answer_id)
        if verdict is not None:
            stage, reason = verdict.stage, verdict.reason
    if stage == "rejected":
        raise RuleViolation(msg or "The answer could not be applied.", name=reason or "invalid")
    return JsonResponse(
        AnswerTaken(success=True, stage=stage, prompt_id=receipt.prompt_id, request_id=receipt.request_id)
    )


async def _verdict(parts: Gateway, answer_id: int) -> AnswerRecord | None:
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
