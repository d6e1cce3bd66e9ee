"""Automations of job templates over REST: what an edit takes, keeps, tells and refuses."""

import json
from itertools import count
from typing import Any

import pytest

from app.domain.job import AutomationType
from tests.api.conftest import WORKER, Api, error, ok

_numbers = count(1)
DAILY = {"timeType": "HourOfDay", "hour": 8, "minutes": 30}
SECRET = {"key": "X-Hook", "value": "s3cret", "isEnabled": True}


@pytest.fixture
def template(api: Api, manual: str) -> str:
    """A template of its own, without automations."""
    return api.template(f"Automated {next(_numbers)}", api.get(f"jobTemplates/{manual}")["diagramId"])


def path(template_id: str, automation_id: str = "") -> str:
    return f"jobTemplates/{template_id}/automatedCreation/{automation_id}".rstrip("/")


def automation(details: Any = None, kind: str = "Scheduled", **members: Any) -> dict[str, Any]:
    text = json.dumps(DAILY if details is None else details)
    return {"automationName": "A", "automationType": kind, "enabled": True, "details": text} | members


def webhook(**details: Any) -> dict[str, Any]:
    return automation({"headerSecret": SECRET} | details, "Webhook")


def add(api: Api, template_id: str, *adds: dict[str, Any]) -> list[str]:
    edited = api.post(path(template_id), {"adds": adds})
    assert edited["success"] is True
    ids: list[str] = edited["automationIds"]
    return ids


def details_of(api: Api, template_id: str, automation_id: str) -> Any:
    return json.loads(api.get(path(template_id, automation_id))["details"])


def test_automations_are_added_listed_read_changed_and_deleted(api: Api, template: str) -> None:
    assert api.get(path(template)) == {"automations": []}
    one, two = add(api, template, automation(automationName="Each day"), webhook(username=WORKER))
    line = {"automationId": one, "automationName": "Each day", "automationType": "Scheduled", "createdBy": "admin"}
    assert api.get(path(template))["automations"][0] == line
    found = api.get(path(template, one))
    assert found.pop("nextDate")[10:] == "T08:30:00Z"
    assert found == line | {"enabled": True, "details": json.dumps(DAILY, separators=(",", ":")), "occurrences": 0}
    updates = [{"automationId": one, "automationName": "Each week", "enabled": False}]
    assert api.post(path(template), {"updates": updates, "deletes": [two]}) == {"success": True}
    found = api.get(path(template, one))
    assert (found["automationName"], found["enabled"], json.loads(found["details"])) == ("Each week", False, DAILY)
    assert "nextDate" not in found
    assert [each["automationId"] for each in api.get(path(template))["automations"]] == [one]


def test_what_is_not_sent_or_null_stays(api: Api, template: str) -> None:
    (one,) = add(api, template, automation())
    before = api.get(path(template, one))
    members = {"automationName": None, "enabled": None, "details": None, "automationType": "Scheduled"}
    assert api.post(path(template), {"adds": None, "updates": [{"automationId": one} | members]}) == {"success": True}
    assert api.get(path(template, one)) == before
    assert api.post(path(template), {}) == {"success": True}


def test_a_schedule_that_is_enabled_again_goes_on_from_then(api: Api, template: str) -> None:
    (one,) = add(api, template, automation(enabled=False))
    assert "nextDate" not in api.get(path(template, one))
    api.post(path(template), {"updates": [{"automationId": one, "enabled": True}]})
    assert "nextDate" in api.get(path(template, one))


def test_a_secret_is_never_told_and_stays_while_no_other_comes(api: Api, template: str) -> None:
    (one,) = add(api, template, webhook(password="hunter2", unknown={"x": "s3cret"}))
    shown = details_of(api, template, one)
    assert shown == {"headerSecret": {"key": "X-Hook", "isEnabled": True}}
    stored = secret(api, one)
    assert stored == "s3cret"
    shown["headerSecret"]["key"] = "X-Other"
    updates = [{"automationId": one, "details": json.dumps(shown)}]
    api.post(path(template), {"updates": updates})
    assert (details_of(api, template, one)["headerSecret"]["key"], secret(api, one)) == ("X-Other", stored)
    flat = {"headerSecretKey": "X-Flat", "headerSecret": "another"}
    api.post(path(template), {"updates": [{"automationId": one, "details": json.dumps(flat)}]})
    assert (details_of(api, template, one), secret(api, one)) == ({"headerSecret": {"key": "X-Flat"}}, "another")
    edited = api.post(path(template), {"updates": [{"automationId": one, "details": "{}"}]})
    assert secret(api, one) is None
    assert "has no enabled headerSecret" in edited["message"]


def secret(api: Api, automation_id: str) -> str | None:
    """A webhook's secret as it is in the database, where the test's server has no master key."""
    assert api.client.portal is not None
    store = api.gateway.engine.store
    found = api.client.portal.call(store.read, lambda tx: tx.automation(tx.items()[0], automation_id))
    assert found is not None
    assert found.automation_type is AutomationType.WEBHOOK
    return found.secret.decode() if found.secret is not None else None


def test_what_keeps_an_automation_from_making_jobs_is_told(api: Api, template: str) -> None:
    over = automation(DAILY | {"endDate": 946_684_800_000}, automationName="Over")
    assert "'Over' is over" in api.post(path(template), {"adds": [over]})["message"]
    document = api.get(f"jobTemplates/{template}") | {"state": "Retired"}
    ok(api.call("PUT", f"jobTemplates/{template}", json=document))
    assert "is Retired" in api.post(path(template), {"adds": [automation()]})["message"]
    assert "message" not in api.post(path(template), {"adds": [automation(enabled=False)]})


@pytest.mark.parametrize(
    ("kind", "details", "fault"),
    [
        ("Scheduled", {}, "timeType"),
        ("Scheduled", [], "details"),
        ("Scheduled", {"timeType": "Weekly"}, "timeType"),
        ("Scheduled", {"timeType": "DayOfWeek"}, "dayOfWeek is missing"),
        ("Scheduled", {"timeType": "DayOfWeek", "dayOfWeek": 0}, "dayOfWeek"),
        ("Scheduled", {"timeType": "DayOfWeek", "dayOfWeek": 8}, "dayOfWeek"),
        ("Scheduled", {"timeType": "DayOfWeek", "dayOfWeek": "1"}, "dayOfWeek"),
        ("Scheduled", {"timeType": "DayOfMonth"}, "dayOfMonth is missing"),
        ("Scheduled", {"timeType": "NumberOfDays"}, "dayOfMonth is missing"),
        ("Scheduled", {"timeType": "NumberOfDays", "dayOfMonth": 0}, "dayOfMonth"),
        ("Scheduled", {"timeType": "MonthOfYear", "dayOfMonth": 1}, "month is missing"),
        ("Scheduled", {"timeType": "MonthOfYear", "month": 2, "dayOfMonth": 30}, "month 2 has 29 days"),
        ("Scheduled", DAILY | {"hour": 24}, "hour"),
        ("Scheduled", DAILY | {"minutes": 60}, "minutes"),
        ("Scheduled", DAILY | {"maxOccurrences": 0}, "maxOccurrences"),
        ("Scheduled", DAILY | {"endDate": 1_767_225_600}, "endDate"),
        ("Webhook", {"username": "nobody"}, "there is no user 'nobody'"),
        ("Webhook", {"username": "admin", "fallbackUsername": "nobody"}, "fallbackUsername"),
        ("Webhook", {"headerSecret": {"key": "X-Hook"}}, "headerSecret.value is missing"),
        ("Webhook", {"headerSecret": {"key": "X Hook", "value": "s"}}, "headerSecret.key"),
        ("Webhook", {"headerSecret": {"key": "X-Hook", "value": " s"}}, "headerSecret.value"),
        ("Webhook", {"headerSecret": "s3cret"}, "headerSecretKey is missing"),
        ("Webhook", {"properties": [{"identifier": "a", "path": "$.a"}]}, "table.property"),
        ("Webhook", {"properties": [{"identifier": "a.b", "path": "a"}]}, "properties[0].path"),
    ],
)
def test_details_that_cannot_be_are_refused_and_nothing_is_stored(
    api: Api, template: str, kind: str, details: Any, fault: str
) -> None:
    refused = api.refused(path(template), {"adds": [automation(), automation(details, kind)]})
    assert fault in refused["message"]
    assert "adds[1] (A)" in refused["message"]
    assert "s3cret" not in json.dumps(refused)
    assert api.get(path(template)) == {"automations": []}


def test_details_must_be_json_text(api: Api, template: str) -> None:
    for text in ("", "no JSON", "{", "[" * 50_000):
        assert "details was invalid" in api.refused(path(template), {"adds": [automation(details=text)]})["message"]
    assert "details" in api.refused(path(template), {"adds": [automation() | {"details": DAILY}]})["message"]


def test_an_edit_is_all_or_nothing_and_every_fault_is_named(api: Api, template: str) -> None:
    one, two = add(api, template, automation(), webhook())
    before = [api.get(path(template, each)) for each in (one, two)]
    body = {
        "adds": [automation()],
        "updates": [
            {"automationId": one, "enabled": False},
            {"automationId": one, "automationName": "B"},
            {"automationId": two, "automationType": "Scheduled"},
            {"automationId": "unknown", "enabled": True},
        ],
        "deletes": [two, "gone"],
    }
    refused = api.refused(path(template), body)
    for fault in ("named twice", "'unknown'", "'gone'", "automationType is Webhook for good"):
        assert fault in refused["message"]
    assert len(refused["details"]) == 5
    assert [api.get(path(template, each)) for each in (one, two)] == before
    assert len(api.get(path(template))["automations"]) == 2


def test_automations_are_their_templates_own(api: Api, template: str, manual: str) -> None:
    (one,) = add(api, template, automation())
    assert error(api.call("GET", path(manual, one)), 400)["type"] == "AutomationNotFound"
    assert "has no automation" in api.refused(path(manual), {"deletes": [one]})["message"]
    assert error(api.call("GET", path(template, "unknown")), 400)["type"] == "AutomationNotFound"
    assert error(api.call("GET", path("unknown")), 404)["type"] == "JobTemplateNotFound"
    assert error(api.call("GET", path("unknown", one)), 404)["type"] == "JobTemplateNotFound"
    assert api.refused(path("unknown"), {"adds": [automation()]})["type"] == "JobTemplateNotFound"
    ok(api.call("DELETE", f"jobTemplates/{template}"))
    assert error(api.call("GET", path(template, one)), 404)["type"] == "JobTemplateNotFound"


def test_automations_need_a_designer(api: Api, worker: Api, outsider: Api, template: str) -> None:
    (one,) = add(api, template, automation())
    before = api.get(path(template, one))
    bodies = [{"adds": [automation()]}, {"updates": [{"automationId": one, "enabled": False}]}, {"deletes": [one]}]
    for body in bodies:
        assert "adminBasic" in worker.refused(path(template), body)["message"]
        error(outsider.call("POST", path(template), json=body), 403)
    for each in (path(template), path(template, one)):
        error(worker.call("GET", each), 403)
        error(outsider.call("GET", each), 403)
    assert api.get(path(template, one)) == before
