"""Feature services over REST: which features meet a condition, and the webhooks that tell of changes.

Source: the public descriptions of feature services (``LAYER/query``), of portal items (``content/items/ID``), and of
a feature service's webhooks in ArcGIS Online (``rest/admin/services/.../FeatureServer/WebHooks``) and on a federated
server (``admin/services/NAME.FeatureServer/webhooks``). Everything is a POST with a form: no token is in an address.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from app.errors import StepError, StepFailed
from app.protocol.codes import MsgCode
from app.protocol.webhooks import PORTAL_SETTING
from app.services.ports import ServiceAccess, ServiceWebhook
from app.services.webhook_connections import is_service_address
from app.steps.arcgis import FORM, ServiceRefused, read_answer
from app.steps.http import HttpClient
from app.steps.limits import FairLimit
from app.steps.outgoing import Outgoing, host_of, origin_of
from app.steps.passing import PASSING, is_passing_status

T = TypeVar("T")

REQUEST_S: Final = 30.0
"""For one question and its answer."""

FEATURES_AT_ONCE: Final = 500
"""Object ids in one question."""

_TOKEN_REFUSED: Final = frozenset({401, 403, 498, 499})
"""Statuses and codes after which the next token is tried."""


class _PortalItem(msgspec.Struct):
    url: str | None = None


class _Found(msgspec.Struct, rename="camel"):
    object_ids: list[int] | None = None


class _Webhook(msgspec.Struct, rename="camel"):
    id: str | int
    hook_url: str = ""


class _Webhooks(msgspec.Struct):
    """The list, in an object; a service that has none may leave the member out."""

    webhooks: list[_Webhook] | None = None
    webHooks: list[_Webhook] | None = None  # noqa: N815 - the wire's name

    def all(self) -> list[_Webhook]:
        return self.webhooks or self.webHooks or []


class _Done(msgspec.Struct):
    """A change was made. Servers say so in several ways, and not all of them name what was made."""

    success: bool | None = None
    status: str | None = None
    messages: list[str] | None = None
    id: str | int | None = None


class ServiceNotReached(StepFailed):
    """A feature service was not asked, or has not done it. ``is_passing``: the same may succeed later."""

    def __init__(self, message: str, *, name: str | None = None, is_passing: bool = False) -> None:
        super().__init__(message, name=name)
        self.is_passing = is_passing


class RestFeatureServices:
    """Implements ``FeatureServices``.

    Args:
        hosts: how many requests may be at one host at a time, those of steps counted.
    """

    def __init__(self, http: HttpClient, hosts: FairLimit) -> None:
        self._http = http
        self._hosts = hosts

    async def matching(
        self, access: ServiceAccess, layer_id: int, condition: str, object_ids: Collection[int]
    ) -> frozenset[int]:
        """The condition is the service's own SQL, so the service judges it."""
        url = f"{await self._address(access)}/{layer_id}/query"
        found: set[int] = set()
        wanted = sorted(set(object_ids))
        for start in range(0, len(wanted), FEATURES_AT_ONCE):
            ids = ",".join(map(str, wanted[start : start + FEATURES_AT_ONCE]))
            asked = {"where": condition, "objectIds": ids, "returnIdsOnly": "true"}
            answer = await self._ask(url, asked, access, _Found)
            found.update(answer.object_ids or ())
        return frozenset(found).intersection(object_ids)

    async def put_webhook(self, access: ServiceAccess, webhook: ServiceWebhook) -> str:
        base, known = await self._webhooks(access)
        own = _sending_to(webhook.path, known)
        if own is not None:
            await self._change(f"{base}/{_segment(own.id)}/edit", _parameters(webhook), access)
            return str(own.id)
        done = await self._change(f"{base}/create", _parameters(webhook), access)
        if done.id is not None:
            return str(done.id)
        _, known = await self._webhooks(access)
        own = _sending_to(webhook.path, known)
        if own is None:
            raise ServiceNotReached(f"The service at {origin_of(base)} says it has the webhook, and does not list it.")
        return str(own.id)

    async def delete_webhooks(self, access: ServiceAccess, path: str) -> None:
        base, known = await self._webhooks(access)
        for each in known:
            if each.hook_url.endswith(path):
                await self._change(f"{base}/{_segment(each.id)}/delete", {}, access)

    # ------------------------------------------------------------ where it is

    async def _address(self, access: ServiceAccess) -> str:
        """The address of the service, without a slash at its end."""
        if is_service_address(access.service):
            return access.service.rstrip("/")
        if access.portal_url is None:
            raise ServiceNotReached(
                f"It is not known where the feature service {access.service!r} is: give its address as itemId, or the "
                f"portal's address in the item's setting {PORTAL_SETTING}.",
                name=MsgCode.NOT_CONFIGURED,
            )
        place = f"{access.portal_url.rstrip('/')}/sharing/rest/content/items/{quote(access.service, safe='')}"
        url = (await self._ask(place, {}, access, _PortalItem)).url or ""
        service = url.rstrip("/").removesuffix(url.rstrip("/").rpartition("/FeatureServer")[2]) if url else ""
        if not is_service_address(service):
            raise ServiceNotReached(f"The item {access.service!r} of the portal is not a feature service.")
        return service

    async def _webhooks(self, access: ServiceAccess) -> tuple[str, list[_Webhook]]:
        """Where the webhooks are managed, and all there are: as in ArcGIS Online, else as on a federated server."""
        online, federated = _admin_addresses(await self._address(access))
        try:
            return online, await self._list(online, access)
        except ServiceNotReached as error:
            if error.is_passing or not isinstance(error.__cause__, ServiceRefused):
                raise
            if error.__cause__.reason in _TOKEN_REFUSED:
                raise
        return federated, await self._list(federated, access)

    async def _list(self, base: str, access: ServiceAccess) -> list[_Webhook]:
        answer = await self._ask(base, {}, access, list[_Webhook] | _Webhooks)
        return answer if isinstance(answer, list) else answer.all()

    async def _change(self, url: str, parameters: Mapping[str, str], access: ServiceAccess) -> _Done:
        done: _Done = await self._ask(url, parameters, access, _Done)
        if done.success is False or done.status == "error":
            said = " ".join(done.messages or ()) or "it does not say why"
            raise ServiceNotReached(f"The service at {origin_of(url)} refuses: {said[:1000]}.")
        return done

    # ------------------------------------------------------------ asking

    async def _ask(self, url: str, parameters: Mapping[str, str], access: ServiceAccess, schema: Any) -> Any:
        """Ask with each token until one is taken, or without any where there is none."""
        tokens = access.tokens or ("",)
        for number, token in enumerate(tokens, 1):
            try:
                return await self._ask_once(url, parameters, token, schema)
            except ServiceRefused as error:
                if error.reason in _TOKEN_REFUSED and number < len(tokens):
                    continue
                raise ServiceNotReached(
                    str(error), name=error.name, is_passing=is_passing_status(error.reason)
                ) from error
            except StepError as error:
                is_passing = error.name in PASSING or error.name == MsgCode.UNEXPECTED_STATUS
                raise ServiceNotReached(str(error), name=error.name, is_passing=is_passing) from error
        raise AssertionError("there is always a token to try")

    async def _ask_once(self, url: str, parameters: Mapping[str, str], token: str, schema: Any) -> Any:
        form = {**parameters, "f": "json"} | ({"token": token} if token else {})
        request = Outgoing("POST", url, FORM, urlencode(form).encode())
        async with self._hosts.turn(host_of(url), lambda: None):
            reply = await self._http.send(request, timeout_s=REQUEST_S)
        return read_answer(reply, schema, f"The service at {origin_of(url)}", refused=MsgCode.UNEXPECTED_STATUS)


def _sending_to(path: str, webhooks: Iterable[_Webhook]) -> _Webhook | None:
    return next((each for each in webhooks if each.hook_url.endswith(path)), None)


def _parameters(webhook: ServiceWebhook) -> dict[str, str]:
    return {
        "name": webhook.name,
        "changeTypes": msgspec.json.encode(webhook.change_types).decode(),
        "signatureKey": webhook.secret,
        "hookUrl": webhook.root + webhook.path,
        "active": "true" if webhook.active else "false",
        "contentType": "application/json",
        "payloadFormat": "json",
    }


def _admin_addresses(service: str) -> tuple[str, str]:
    root, _, name = service.partition("/rest/services/")
    return (
        f"{root}/rest/admin/services/{name}/WebHooks",
        f"{root}/admin/services/{name.removesuffix('/FeatureServer')}.FeatureServer/webhooks",
    )


def _segment(webhook_id: str | int) -> str:
    return quote(str(webhook_id), safe="")
