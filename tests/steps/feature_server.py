"""A feature service as its counterpart sees it: features to be asked for, and webhooks that it keeps."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from tests.steps.counterparts import Counterpart, Received, Wire, json_answer

SERVICE = "/arcgis/rest/services/City/Parcels/FeatureServer"
ONLINE = "/arcgis/rest/admin/services/City/Parcels/FeatureServer/WebHooks"
FEDERATED = "/arcgis/admin/services/City/Parcels.FeatureServer/webhooks"
PORTAL = "/portal"
ITEM_ID = "5f2a7c0b9d8e4f31a6b2c3d4e5f60718"


@dataclass
class FeatureServer:
    """``SERVICE`` of a counterpart, the item ``ITEM_ID`` of a portal there, and its webhooks at ``webhooks_at``.

    ``states`` are the features of layer 0; the only condition understood is ``state = N``. ``tokens``: those taken;
    none: nobody is asked for one. ``names_ids``: a new webhook's id is in the answer.
    """

    site: Counterpart
    webhooks_at: str = ONLINE
    states: dict[int, int] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    webhooks: dict[str, dict[str, str]] = field(default_factory=dict)
    questions: list[dict[str, str]] = field(default_factory=list)
    names_ids: bool = True
    broken: bytes | None = None

    def __post_init__(self) -> None:
        self.site.on(f"{SERVICE}/0/query", self._query)
        self.site.on(f"{PORTAL}/sharing/rest/content/items/{ITEM_ID}", self._item)
        self.site.on(self.webhooks_at, self._list)
        self.site.on(f"{self.webhooks_at}/create", self._create)

    @property
    def url(self) -> str:
        return self.site.url + SERVICE

    async def _say(self, received: Received, wire: Wire, answer: Any) -> None:
        if self.broken is not None:
            await wire.say(self.broken)
        elif self.tokens and received.form.get("token") not in self.tokens:
            await wire.say(
                json_answer(json.dumps({"error": {"code": 498, "message": "Invalid token.", "details": []}}))
            )
        else:
            await wire.say(json_answer(json.dumps(answer)))

    async def _query(self, received: Received, wire: Wire) -> None:
        self.questions.append(received.form)
        condition = re.fullmatch(r"state = (\d+)", received.form["where"])
        if condition is None:
            fault = {"code": 400, "message": "Cannot perform query.", "details": ["Invalid query parameters"]}
            await self._say(received, wire, {"error": fault})
            return
        ids = [int(each) for each in received.form["objectIds"].split(",")]
        found = [each for each in ids if self.states.get(each) == int(condition[1])]
        await self._say(received, wire, {"objectIdFieldName": "OBJECTID", "objectIds": found or None})

    async def _item(self, received: Received, wire: Wire) -> None:
        await self._say(received, wire, {"id": ITEM_ID, "type": "Feature Service", "url": f"{self.url}/0"})

    async def _list(self, received: Received, wire: Wire) -> None:
        known = [{"id": key, **webhook} for key, webhook in self.webhooks.items()]
        await self._say(received, wire, known if self.webhooks_at == ONLINE else {"webhooks": known})

    async def _create(self, received: Received, wire: Wire) -> None:
        key = str(len(self.webhooks) + 1)
        if not self.tokens or received.form.get("token") in self.tokens:
            self.webhooks[key] = received.form
            self.site.on(f"{self.webhooks_at}/{key}/edit", self._edit)
            self.site.on(f"{self.webhooks_at}/{key}/delete", self._delete)
        await self._say(received, wire, {"success": True} | ({"id": key} if self.names_ids else {}))

    async def _edit(self, received: Received, wire: Wire) -> None:
        self.webhooks[received.path.split("/")[-2]] = received.form
        await self._say(received, wire, {"success": True})

    async def _delete(self, received: Received, wire: Wire) -> None:
        if self.broken is None:
            del self.webhooks[received.path.split("/")[-2]]
        await self._say(received, wire, {"success": True})
