"""Sends the web requests of template activities: again until they are answered, each try with the same key."""

import logging
from collections.abc import Sequence

import msgspec

from app.errors import StepError, StepFailed
from app.protocol.web_request import WebRequestArgs
from app.services.dispatches import WEB_REQUEST_KIND
from app.services.ports import Dispatch, StepServices
from app.steps.http import HttpClient
from app.steps.limits import FairLimit
from app.steps.outgoing import host_of
from app.steps.passing import PASSING, is_passing_status
from app.steps.web_request import PAUSES_S, check_expected, request_of, send_patiently

log = logging.getLogger(__name__)


class RequestNotTaken(StepFailed):
    """The other server has not taken the request. ``is_passing``: the same may succeed later."""

    def __init__(self, message: str, *, name: str | None = None, is_passing: bool = False) -> None:
        super().__init__(message, name=name)
        self.is_passing = is_passing


class WebRequestSender:
    """Implements ``DispatchSender``. Notes nothing: a request that may have had its effect is sent again.

    Args:
        hosts: how many requests may be at one host at a time, those of steps counted.
    """

    kind = WEB_REQUEST_KIND

    def __init__(self, http: HttpClient, hosts: FairLimit, *, pauses_s: Sequence[float] = PAUSES_S) -> None:
        self._http = http
        self._hosts = hosts
        self._pauses_s = pauses_s

    async def send(self, dispatch: Dispatch, services: StepServices) -> str | None:
        args = msgspec.json.decode(dispatch.content, type=WebRequestArgs)
        request = request_of(args, await services.settings(), key=dispatch.key)

        def told(text: str, _: str) -> None:
            log.info("job %s: %s: %s", dispatch.job_id, dispatch.title, text)

        try:
            async with self._hosts.turn(host_of(request.url), lambda: None):
                reply = await send_patiently(self._http, args, request, pauses_s=self._pauses_s, told=told)
        except StepError as error:
            raise RequestNotTaken(str(error), name=error.name, is_passing=error.name in PASSING) from error
        try:
            check_expected(args, reply)
        except StepFailed as error:
            passing = is_passing_status(reply.status)
            raise RequestNotTaken(str(error), name=error.name, is_passing=passing) from error
        return None
