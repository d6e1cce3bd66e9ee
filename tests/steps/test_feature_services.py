"""Feature services over REST: where they are found, who is let in, what is asked, and what their webhooks become."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.services.ports import ServiceAccess, ServiceWebhook
from app.steps import feature_services
from app.steps.feature_services import RestFeatureServices, ServiceNotReached
from app.steps.http import HttpClient
from app.steps.limits import FairLimit
from tests.steps.counterparts import Counterpart, answer, counterpart, json_answer
from tests.steps.feature_server import FEDERATED, ITEM_ID, ONLINE, PORTAL, SERVICE, FeatureServer
from tests.steps.service_steps import http_client

pytestmark = pytest.mark.anyio

PATH = "/workflow/item/webhookConnections/C1/executeWebhook"
WEBHOOK = ServiceWebhook("Parcels", "https://stepgate.example", PATH, "s3cret", ("FeaturesUpdated",), active=True)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def site() -> AsyncIterator[Counterpart]:
    async with counterpart() as started:
        yield started


@pytest.fixture(scope="module")
async def http() -> AsyncIterator[HttpClient]:
    async with http_client() as client:
        yield client


@pytest.fixture
def services(http: HttpClient) -> RestFeatureServices:
    return RestFeatureServices(http, FairLimit("host", 10))


async def test_features_are_asked_for_in_pieces_and_those_that_match_are_told(
    services: RestFeatureServices, site: Counterpart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_services, "FEATURES_AT_ONCE", 2)
    server = FeatureServer(site, states={1: 3, 2: 4, 5: 3})
    access = ServiceAccess(server.url + "/")
    assert await services.matching(access, 0, "state = 3", {5, 1, 2}) == {1, 5}
    assert [question["objectIds"] for question in server.questions] == ["1,2", "5"]
    asked = {"where": "state = 3", "objectIds": "5", "returnIdsOnly": "true", "f": "json"}
    assert server.questions[-1] == asked
    assert await services.matching(access, 0, "state = 9", [1]) == frozenset()


async def test_tokens_are_tried_in_turn_and_stand_in_no_address(
    services: RestFeatureServices, site: Counterpart
) -> None:
    server = FeatureServer(site, states={1: 3}, tokens={"good"})
    access = ServiceAccess(server.url, tokens=("old", "good"))
    assert await services.matching(access, 0, "state = 3", [1]) == {1}
    assert [question["token"] for question in server.questions] == ["old", "good"]
    assert all("token" not in request.target for request in site.requests)
    for tokens in ((), ("old",)):
        with pytest.raises(ServiceNotReached, match=r"refuses: Invalid token\. \(code 498\)") as refused:
            await services.matching(replace(access, tokens=tokens), 0, "state = 3", [1])
        assert not refused.value.is_passing


async def test_an_item_id_leads_to_its_service_by_way_of_the_portal(
    services: RestFeatureServices, site: Counterpart
) -> None:
    FeatureServer(site, states={1: 3}, tokens={"t"})
    access = ServiceAccess(ITEM_ID, f"{site.url}{PORTAL}/", ("t",))
    assert await services.matching(access, 0, "state = 3", [1]) == {1}
    with pytest.raises(ServiceNotReached, match="webhookPortalUrl"):
        await services.matching(replace(access, portal_url=None), 0, "state = 3", [1])
    site.on(f"{PORTAL}/sharing/rest/content/items/map", json_answer('{"url": "https://maps.example/"}'))
    site.on(f"{PORTAL}/sharing/rest/content/items/text", json_answer('{"url": null}'))
    for item in ("map", "text"):
        with pytest.raises(ServiceNotReached, match=f"{item}' of the portal is not a feature service"):
            await services.matching(replace(access, service=item), 0, "state = 3", [1])


@pytest.mark.parametrize(
    ("said", "fault", "is_passing"),
    [
        (answer(503), "answered with status 503", True),
        (answer(429), "refuses: status 429", True),
        (answer(404), "refuses: status 404", False),
        (answer(200, "<html>"), "did not answer as such services do", False),
        (json_answer('{"objectIds": ["1"]}'), "did not answer as such services do", False),
        (json_answer('{"error": {"code": 500, "message": "Out of order"}}'), "has failed: Out of order", True),
        (b"", "broke the connection off", True),
    ],
)
async def test_a_failure_says_what_happened_and_whether_it_may_pass(
    services: RestFeatureServices, site: Counterpart, said: bytes, fault: str, is_passing: bool
) -> None:
    site.on(f"{SERVICE}/0/query", said)
    with pytest.raises(ServiceNotReached, match=fault) as failed:
        await services.matching(ServiceAccess(site.url + SERVICE), 0, "state = 3", [1])
    assert failed.value.is_passing == is_passing


async def test_a_condition_that_the_service_cannot_read_is_refused_in_its_words(
    services: RestFeatureServices, site: Counterpart
) -> None:
    server = FeatureServer(site)
    with pytest.raises(ServiceNotReached, match=r"Cannot perform query\. Invalid query parameters") as refused:
        await services.matching(ServiceAccess(server.url), 0, "nonsense", [1])
    assert not refused.value.is_passing


@pytest.mark.parametrize("webhooks_at", [ONLINE, FEDERATED])
@pytest.mark.parametrize("names_ids", [True, False])
async def test_a_webhook_is_created_changed_and_deleted(
    services: RestFeatureServices, site: Counterpart, webhooks_at: str, names_ids: bool
) -> None:
    server = FeatureServer(site, webhooks_at, tokens={"t"}, names_ids=names_ids)
    server.webhooks["9"] = {"hookUrl": "https://another.example/"}
    access = ServiceAccess(server.url, tokens=("t",))
    webhook_id = await services.put_webhook(access, WEBHOOK)
    created = server.webhooks[webhook_id]
    assert {name: created[name] for name in ("name", "hookUrl", "signatureKey", "active", "contentType")} == {
        "name": "Parcels",
        "hookUrl": f"https://stepgate.example{PATH}",
        "signatureKey": "s3cret",
        "active": "true",
        "contentType": "application/json",
    }
    assert json.loads(created["changeTypes"]) == ["FeaturesUpdated"]
    elsewhere = replace(WEBHOOK, root="https://new-name.example/below", active=False)
    assert await services.put_webhook(access, elsewhere) == webhook_id
    changed = server.webhooks[webhook_id]
    assert (changed["active"], changed["hookUrl"]) == ("false", f"https://new-name.example/below{PATH}")
    await services.delete_webhooks(access, PATH)
    await services.delete_webhooks(access, PATH)
    assert list(server.webhooks) == ["9"]


async def test_a_refusal_to_keep_a_webhook_is_told(services: RestFeatureServices, site: Counterpart) -> None:
    server = FeatureServer(site, tokens={"t"})
    with pytest.raises(ServiceNotReached, match="Invalid token"):
        await services.put_webhook(ServiceAccess(server.url), WEBHOOK)
    assert all(request.path == ONLINE for request in site.requests), "not tried in another way, without a right token"
    refusal = '{"status": "error", "messages": ["Change tracking is off"], "code": 500}'
    site.on(f"{ONLINE}/create", json_answer(refusal))
    with pytest.raises(ServiceNotReached, match="Change tracking is off"):
        await services.put_webhook(ServiceAccess(server.url, tokens=("t",)), WEBHOOK)
    site.on(f"{ONLINE}/create", json_answer('{"success": true}'))
    with pytest.raises(ServiceNotReached, match="does not list it"):
        await services.put_webhook(ServiceAccess(server.url, tokens=("t",)), WEBHOOK)
