"""``POST evaluateArcade`` (rest.md 13.1)."""

from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.keyed import answer_query
from app.api.requests import caller_of, read_body
from app.expressions.arcade import Encoding
from app.protocol.arcade import ArcadeAnswer, ArcadeBody, job_of
from app.services import arcade

_body = msgspec.json.Decoder(ArcadeBody)


async def evaluate(request: Request) -> Response:
    """Changes nothing: the expression sees one snapshot of the database."""
    caller = caller_of(request)
    body = await read_body(request, _body, "ArcadeExpression")
    job_id, encoding = job_of(body), body.parse_mode or Encoding.STANDARD
    query = partial(arcade.evaluate, expression=body.expression, job_id=job_id, encoding=encoding)
    return await answer_query(request, caller, query, ArcadeAnswer)
