"""rest.md 7.1: automations make jobs of a template by themselves, on a schedule or when a request comes."""

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from app.services.ports import Automation, Tx
from tests.api.conftest import error, ok
from tests.conformance.people import Person, run
from tests.support import eventually

STEPS = [{"id": "one", "name": "One", "paths": []}]
SECRET = {"X-Secret": "open sesame"}
DAILY = {"timeType": "HourOfDay", "hour": 8, "minutes": 30}


@pytest.fixture
def template(admin: Person) -> str:
    return admin.made(STEPS)


def at(template: str, automation_id: str = "") -> str:
    return f"jobTemplates/{template}/automatedCreation/{automation_id}".rstrip("/")


def schedule(**members: Any) -> dict[str, Any]:
    details = json.dumps(members.pop("details", DAILY))
    return {"automationName": "Round", "automationType": "Scheduled", "enabled": True, "details": details} | members


def added(person: Person, template: str, *adds: dict[str, Any]) -> list[str]:
    ids: list[str] = person.post(at(template), {"adds": list(adds)})["automationIds"]
    return ids


def webhook(person: Person, template: str, *, enabled: bool = True, **details: Any) -> str:
    """A webhook's path; its secret comes in ``X-Secret`` unless the details say otherwise."""
    text = json.dumps({"headerSecret": {"key": "X-Secret", "value": "open sesame", "isEnabled": True}} | details)
    add = {"automationName": "Hook", "automationType": "Webhook", "enabled": enabled, "details": text}
    return at(template, *added(person, template, add))


def sent(person: Person, path: str, body: bytes = b'{"a": 1}', headers: Mapping[str, str] = SECRET) -> Any:
    """The response to a webhook's request, which brings no token."""
    return person.call("POST", f"{path}/executeWebhook", content=body, headers=headers)


def jobs_of(person: Person, template: str) -> list[str]:
    found = person.post("jobs/search", {"q": f"jobTemplateId='{template}'", "fields": ["jobId"]})
    return [row[0] for row in found["results"]]


def let_come(admin: Person, template: str, automation_id: str) -> None:
    """Let a schedule's moment come, which is hours away, and wait until it is dealt with."""
    client, store = admin.client, admin.gateway.engine.store
    assert client.portal is not None

    def moment(tx: Tx) -> Automation:
        automation = tx.automation(tx.items()[0], automation_id)
        assert automation is not None
        return automation

    def set_back(tx: Tx) -> int:
        now_ms = tx.now_ms()
        tx.put_automation(tx.items()[0], replace(moment(tx), next_ms=now_ms))
        return now_ms

    due_ms = run(client, set_back)

    async def is_over() -> bool:
        return bool((await store.read(moment)).next_ms != due_ms)

    admin.post(at(template), {})  # an edit wakes those who look for what is due
    client.portal.call(eventually, is_over)


# ---------------------------------------------------------------- lists and edits


def test_automations_are_listed_with_name_type_and_author(admin: Person, template: str) -> None:
    assert admin.get(at(template)) == {"automations": []}
    (automation_id,) = added(admin, template, schedule())
    line = {"automationId": automation_id, "automationName": "Round", "automationType": "Scheduled"}
    assert admin.get(at(template)) == {"automations": [line | {"createdBy": admin.username}]}


def test_an_automation_is_read_with_its_details_as_text(admin: Person, template: str) -> None:
    (automation_id,) = added(admin, template, schedule())
    found = admin.get(at(template, automation_id))
    assert (found["automationId"], found["automationType"]) == (automation_id, "Scheduled")
    assert found["enabled"] is True
    assert json.loads(found["details"]) == DAILY


def test_an_automation_that_is_not_there_is_a_400(admin: Person, template: str) -> None:
    assert error(admin.call("GET", at(template, "gone")), 400)["type"] == "AutomationNotFound"


def test_adds_updates_and_deletes_are_one_edit(admin: Person, template: str) -> None:
    first, second = added(admin, template, schedule(), schedule())
    body = {
        "adds": [schedule(automationName="Third")],
        "updates": [{"automationId": first, "automationName": "Renamed"}],
        "deletes": [second],
    }
    edited = admin.post(at(template), body)
    assert edited["success"] is True
    assert len(edited["automationIds"]) == 1
    assert [each["automationName"] for each in admin.get(at(template))["automations"]] == ["Renamed", "Third"]


def test_an_edit_with_a_fault_changes_nothing(admin: Person, template: str) -> None:
    (automation_id,) = added(admin, template, schedule())
    body = {"adds": [schedule()], "updates": [{"automationId": automation_id, "enabled": False}], "deletes": ["gone"]}
    assert "'gone'" in admin.refused(at(template), body)["message"]
    assert len(admin.get(at(template))["automations"]) == 1
    assert admin.get(at(template, automation_id))["enabled"] is True


def test_the_type_is_fixed_after_creation(admin: Person, template: str) -> None:
    (automation_id,) = added(admin, template, schedule())
    update = {"automationId": automation_id, "automationType": "Webhook", "details": "{}"}
    assert "for good" in admin.refused(at(template), {"updates": [update]})["message"]
    assert admin.get(at(template, automation_id))["automationType"] == "Scheduled"


def test_an_update_is_partial(admin: Person, template: str) -> None:
    (automation_id,) = added(admin, template, schedule())
    admin.post(at(template), {"updates": [{"automationId": automation_id, "enabled": False}]})
    found = admin.get(at(template, automation_id))
    assert (found["automationName"], found["enabled"], json.loads(found["details"])) == ("Round", False, DAILY)


def test_automations_need_admin_basic(admin: Person, designer: Person, advanced: Person, template: str) -> None:
    (automation_id,) = added(designer, template, schedule())
    assert advanced.refused(at(template), {"deletes": [automation_id]})["type"] == "PermissionDenied"
    error(advanced.call("GET", at(template)), 403)
    error(advanced.call("GET", at(template, automation_id)), 403)
    assert len(designer.get(at(template))["automations"]) == 1


def test_another_items_automations_are_never_seen(admin: Person, stranger: Person, template: str) -> None:
    (automation_id,) = added(admin, template, schedule())
    theirs = stranger.made(STEPS)
    error(stranger.call("GET", at(template)), 404)
    error(stranger.call("GET", at(theirs, automation_id)), 400)
    assert "has no automation" in stranger.refused(at(theirs), {"deletes": [automation_id]})["message"]
    assert len(admin.get(at(template))["automations"]) == 1


def test_a_deleted_template_takes_its_automations_along(admin: Person, template: str) -> None:
    (automation_id,) = added(admin, template, schedule())
    admin.delete(f"jobTemplates/{template}")
    error(admin.call("GET", at(template, automation_id)), 404)
    error(admin.call("GET", at(template)), 404)


# ---------------------------------------------------------------- schedules


@pytest.mark.parametrize(
    "details",
    [
        {"timeType": "HourOfDay", "hour": 0},
        {"timeType": "NumberOfDays", "dayOfMonth": 1},
        {"timeType": "DayOfWeek", "dayOfWeek": 7, "hour": 23, "minutes": 59},
        {"timeType": "DayOfMonth", "dayOfMonth": 31, "maxOccurrences": 3},
        {"timeType": "MonthOfYear", "month": 2, "dayOfMonth": 29, "endDate": 4_102_444_800_000},
    ],
)
def test_each_time_type_is_taken_and_has_a_next_date(admin: Person, template: str, details: dict[str, Any]) -> None:
    (automation_id,) = added(admin, template, schedule(details=details))
    assert "nextDate" in admin.get(at(template, automation_id))


def test_a_schedule_makes_a_job_when_it_is_due(admin: Person, template: str) -> None:
    (automation_id,) = added(admin, template, schedule())
    let_come(admin, template, automation_id)
    (job_id,) = jobs_of(admin, template)
    job = admin.read(job_id)
    assert (job["automationId"], job["automationType"], job["createdBy"]) == (automation_id, "Scheduled", "admin")
    found = admin.get(at(template, automation_id))
    assert found["occurrences"] == 1
    assert found["nextDate"] > found["lastDate"]


def test_an_automated_template_is_for_automations_only(admin: Person, template: str) -> None:
    document = admin.get(f"jobTemplates/{template}") | {"state": "Automated"}
    ok(admin.call("PUT", f"jobTemplates/{template}", json=document))
    assert admin.refused(f"jobTemplates/{template}/job", {})["type"] == "JobTemplateNotActive"
    (automation_id,) = added(admin, template, schedule())
    let_come(admin, template, automation_id)
    assert len(jobs_of(admin, template)) == 1


def test_a_schedule_ends_after_so_many_occurrences(admin: Person, template: str) -> None:
    (automation_id,) = added(admin, template, schedule(details=DAILY | {"maxOccurrences": 1}))
    let_come(admin, template, automation_id)
    found = admin.get(at(template, automation_id))
    assert (found["occurrences"], "nextDate" in found) == (1, False)


def test_a_job_that_cannot_be_made_is_told_and_the_schedule_goes_on(admin: Person, template: str) -> None:
    (automation_id,) = added(admin, template, schedule())
    ok(admin.call("PUT", f"jobTemplates/{template}", json=admin.get(f"jobTemplates/{template}") | {"state": "Draft"}))
    let_come(admin, template, automation_id)
    found = admin.get(at(template, automation_id))
    assert "is Draft" in found["lastError"]
    assert {"lastErrorDate", "nextDate"} <= set(found)
    assert jobs_of(admin, template) == []


def test_a_schedule_that_is_not_enabled_has_no_next_date(admin: Person, template: str) -> None:
    (automation_id,) = added(admin, template, schedule(enabled=False))
    assert "nextDate" not in admin.get(at(template, automation_id))


# ---------------------------------------------------------------- webhooks


def test_a_webhook_makes_a_job_without_a_token(admin: Person, template: str) -> None:
    path = webhook(admin, template)
    answer = ok(sent(admin, path))
    assert set(answer) == {"jobIds", "autoExecuted"}
    job = admin.read(answer["jobIds"][0])
    assert (job["jobTemplateId"], job["automationType"]) == (template, "Webhook")
    assert path.endswith(job["automationId"])


def test_the_header_must_carry_the_secret(admin: Person, template: str) -> None:
    path = webhook(admin, template)
    for headers in ({}, {"X-Secret": "open barley"}, {"X-Other": "open sesame"}):
        assert error(sent(admin, path, headers=headers), 404)["type"] == "WebhookNotFound"
    assert jobs_of(admin, template) == []


def test_an_unknown_webhook_is_refused_like_one_whose_secret_is_not_known(admin: Person, template: str) -> None:
    wrong = error(sent(admin, webhook(admin, template), headers={"X-Secret": "no"}), 404)
    assert error(sent(admin, at(template, "unknown")), 404) == wrong


@pytest.mark.parametrize("form", ["base64", "hexadecimal"])
def test_the_signature_header_carries_the_hmac_of_the_body(admin: Person, template: str, form: str) -> None:
    path = webhook(admin, template, headerSecret={"key": "x-esriHook-Signature", "value": "open sesame"})
    digest = hmac.digest(b"open sesame", b'{"a": 1}', hashlib.sha256)
    text = b64encode(digest).decode() if form == "base64" else digest.hex()
    headers = {"x-esriHook-Signature": f"sha256={text}"}
    ok(sent(admin, path, headers=headers))
    error(sent(admin, path, b'{"a": 2}', headers), 404)
    error(sent(admin, path, headers={"x-esriHook-Signature": "open sesame"}), 404)
    assert len(jobs_of(admin, template)) == 1


def test_a_webhook_without_an_enabled_secret_is_not_executed(admin: Person, template: str) -> None:
    for header in (None, {"key": "X-Secret", "value": "open sesame", "isEnabled": False}):
        error(sent(admin, webhook(admin, template, headerSecret=header)), 404)
    assert admin.get("")["allowUnsecureWebhooks"] is False


def test_the_secret_is_never_returned(admin: Person, template: str) -> None:
    found = admin.get(webhook(admin, template))
    assert "open sesame" not in json.dumps(found)
    assert json.loads(found["details"]) == {"headerSecret": {"key": "X-Secret", "isEnabled": True}}


def test_the_job_is_the_run_as_users_and_else_the_fallback_users(admin: Person, hire: Any, template: str) -> None:
    creator, other = hire("jobCreate"), hire("jobAssignAny")
    path = webhook(admin, template, username=creator.username)
    assert admin.read(ok(sent(admin, path))["jobIds"][0])["createdBy"] == creator.username
    path = webhook(admin, template, username=other.username, fallbackUsername=creator.username)
    assert admin.read(ok(sent(admin, path))["jobIds"][0])["createdBy"] == creator.username


def test_without_job_create_for_any_of_its_users_no_job_is_made(admin: Person, hire: Any, template: str) -> None:
    path = webhook(admin, template, username=hire("jobAssignAny").username)
    assert "jobCreate" in error(sent(admin, path))["message"]
    assert jobs_of(admin, template) == []


def test_the_body_is_attached_if_configured(admin: Person, template: str) -> None:
    path = webhook(admin, template, attachment={"folder": "Payloads"})
    job_id = ok(sent(admin, path))["jobIds"][0]
    (attached,) = admin.get(f"jobs/{job_id}/attachments")["attachments"]
    assert (attached["alias"], attached["folder"]) == ("payload.json", "Payloads")
    assert admin.call("GET", f"jobs/{job_id}/attachments/{attached['id']}").content == b'{"a": 1}'


def test_a_webhook_that_is_not_enabled_is_refused(admin: Person, template: str) -> None:
    assert error(sent(admin, webhook(admin, template, enabled=False)))["type"] == "AutomationDisabled"
    assert jobs_of(admin, template) == []


def test_another_items_webhook_is_not_found(admin: Person, stranger: Person, template: str) -> None:
    error(sent(stranger, webhook(admin, template)), 404)
    assert jobs_of(admin, template) == []
