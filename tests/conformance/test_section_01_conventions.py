"""rest.md 1: addresses, tokens, and what is common to all requests and answers."""

import re
from datetime import datetime
from typing import Any

import pytest

from app.services.first_start import ITEM_ID
from tests.api.conftest import error, ok
from tests.conformance.people import Person, fresh

ID = re.compile(r"[A-Za-z0-9_-]{22}")


# ---------------------------------------------------------------- 1.1


def test_an_item_is_found_below_the_literal_workflow(admin: Person) -> None:
    assert admin.root == f"/workflow/{ITEM_ID}"
    assert re.fullmatch(r"[0-9a-f]{32}", ITEM_ID)
    assert admin.get("")["itemVersion"]


def test_the_server_is_probed_with_check_status(admin: Person) -> None:
    assert admin.client.get("/workflow/checkStatus").json()["success"] is True


# ---------------------------------------------------------------- 1.2


def test_a_token_comes_in_either_header_or_in_the_query(admin: Person) -> None:
    token = admin.token()
    for headers in ({"Authorization": f"Bearer {token}"}, {"X-Esri-Authorization": f"Bearer {token}"}):
        ok(admin.call("GET", "diagrams", headers=headers))
    ok(admin.call("GET", f"diagrams?token={token}", headers={}))
    ok(admin.call("POST", f"jobs/search?token={token}", headers={}, json={"q": "closed=0"}))


def test_a_user_has_the_privileges_of_the_groups_that_the_item_links_to_roles(viewer: Person, stranger: Person) -> None:
    """The same user is somebody in one item and nobody in another."""
    assert "adminAdvanced" in stranger.get(f"community/users/{stranger.username}")["privileges"]
    error(Person(stranger.client, stranger.username).call("GET", "diagrams"), 403)
    assert "adminBasic" not in viewer.get(f"community/users/{viewer.username}")["privileges"]


@pytest.mark.parametrize("token", ["", "nonsense", "expired"])
def test_a_missing_or_invalid_token_is_an_error_object(admin: Person, token: str) -> None:
    sent = admin.token(ttl_s=0) if token == "expired" else token
    for carried in ({"headers": {"Authorization": f"Bearer {sent}"}}, {"headers": {}, "params": {"token": sent}}):
        assert error(admin.call("GET", "diagrams", **carried), 401)["type"] == "Unauthenticated"


# ---------------------------------------------------------------- 1.3


def test_ids_of_the_server_are_22_characters_and_ones_own_are_kept(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    link = admin.post(f"jobs/{job_id}/attachmentslinked", {"attachments": [{"url": "u"}]})["attachments"][0]
    admin.acts(job_id, "Hold")
    for made in (
        job_id,
        two_steps,
        admin.diagram(fresh("D"), [{"id": "a"}]),
        link["attachmentId"],
        admin.post(f"jobs/{job_id}/comments", {"comment": "c"})["commentId"],
        admin.post("searches", {"name": "s", "definition": {"q": "closed=0"}})["searchId"],
        admin.post("templates/own", {"templateName": "t", "templateDetails": ""})["templateId"],
        admin.read(job_id)["holds"][0]["holdId"],
    ):
        assert ID.fullmatch(made), made
    own = "Q5-nYVlCTBOZ4ShEdDsglB"
    assert admin.job(two_steps, jobId=own) == own
    assert admin.diagram(fresh("D"), [{"id": "a"}], diagramId=own) == own
    assert admin.made([{"id": "a"}], jobTemplateId=own) == own
    body = {"name": "s", "definition": {"q": "closed=0"}, "searchId": own}
    assert admin.post("searches", body)["searchId"] == own
    mail = {"templateName": "t", "templateDetails": "", "templateId": own}
    assert admin.post("templates/own", mail)["templateId"] == own


def test_moments_are_iso_8601_in_utc(admin: Person, two_steps: str) -> None:
    job = admin.read(admin.job(two_steps, dueDate="2030-06-01T14:00:00+02:00"))
    assert job["dueDate"] == "2030-06-01T12:00:00Z"
    assert job["createdDate"].endswith("Z")
    assert datetime.fromisoformat(job["createdDate"]).tzinfo is not None


def test_no_create_answers_with_success_and_each_acknowledgement_is_success(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    for path, body in (
        (f"jobTemplates/{two_steps}/job", {}),
        ("jobs/search", {"q": "closed=0"}),
        ("jobs/statistics", {"q": "closed=0"}),
        ("diagrams", {"diagramName": fresh("D"), "displayGrid": True, "active": True, "steps": [{"id": "a"}]}),
        ("searches", {"name": "s", "definition": {"q": "closed=0"}}),
        ("templates/own", {"templateName": "t", "templateDetails": ""}),
        (f"jobs/{job_id}/comments", {"comment": "c"}),
        (f"jobs/{job_id}/attachmentslinked", {"attachments": [{"url": "u"}]}),
    ):
        assert "success" not in admin.post(path, body), path
    for path in ("tableDefinitions", f"jobTemplates/{two_steps}/shareWith"):
        assert "success" not in admin.get(path)
    assert admin.post(f"jobs/{job_id}/update", {"notes": "n"}) == {"success": True}


def test_bodies_are_utf_8_both_ways(admin: Person, two_steps: str) -> None:
    name = fresh("Straße 東京 \U0001f6e0")
    answer = admin.call("GET", f"jobs/{admin.job(two_steps, jobName=name)}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.content.decode() == answer.text
    assert answer.json()["jobName"] == name


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "jobs/{job}/location"),
        ("POST", "lookups/status"),
        ("PUT", "diagrams"),
        ("PUT", "jobs/{job}/update"),
        ("POST", "jobTemplates/{template}"),
        ("POST", "searches/x"),
    ],
)
def test_methods_are_significant(admin: Person, two_steps: str, method: str, path: str) -> None:
    """The first path is a step's id to the server: such a step cannot be."""
    found: Any = admin.call(method, path.format(job=admin.job(two_steps), template=two_steps), json={})
    assert found.status_code in {400, 405}
    assert error(found, found.status_code)["message"]
