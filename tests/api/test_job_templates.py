from typing import Any

from app.services.first_start import TEMPLATE_ID
from tests.api.conftest import Api, error

INTRODUCTION = "99o2QTePTqq-BHRHK_Aeag"


def test_a_template_is_created_and_given_back_with_all_its_members(api: Api) -> None:
    template_id = api.template("Round trip", INTRODUCTION, ours=[1], jobTemplateId="own-template", token="secret")
    assert template_id == "own-template"
    found = api.get("jobTemplates/own-template")
    assert found["ours"] == [1]
    assert "token" not in found
    assert (found["jobTemplateName"], found["state"], found["lastUpdatedBy"]) == ("Round trip", "Active", "admin")
    assert found["diagramName"] == "Introduction to Workflow Manager"
    assert found["lastUpdatedDate"].endswith("Z")


def test_creating_answers_with_the_id_alone(api: Api) -> None:
    body = {
        "jobTemplateName": "Alone",
        "diagramId": INTRODUCTION,
        "diagramName": "",
        "defaultPriorityName": "Low",
        "state": "Draft",
    }
    assert list(api.post("jobTemplates", body)) == ["jobTemplateId"]


def test_the_list_is_short(worker: Api) -> None:
    first = worker.get("jobTemplates")["jobTemplates"][0]
    assert first == {
        "jobTemplateId": TEMPLATE_ID,
        "jobTemplateName": "Introduction to Workflow Manager",
        "description": "A tour of what steps can do.",
        "category": "Introduction",
        "diagramId": INTRODUCTION,
        "diagramName": "Introduction to Workflow Manager",
        "state": "Active",
    }


def test_a_template_that_is_not_there_is_not_found(api: Api) -> None:
    assert error(api.call("GET", "jobTemplates/nowhere"), 404)["type"] == "JobTemplateNotFound"


def test_a_template_that_cannot_be_saved_is_refused(api: Api, worker: Api) -> None:
    good = {
        "jobTemplateName": "Good",
        "diagramId": INTRODUCTION,
        "diagramName": "",
        "defaultPriorityName": "Low",
        "state": "Draft",
    }
    before = api.get("jobTemplates")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"jobTemplateName": None}, "jobTemplateName"),
        ({"jobTemplateName": "Introduction to Workflow Manager"}, "another job template"),
        ({"jobTemplateId": TEMPLATE_ID}, "already"),
        ({"diagramId": "nowhere"}, "no diagram"),
        ({"state": "Asleep"}, "state"),
    ]
    for members, fault in cases:
        assert fault in api.refused("jobTemplates", good | members)["message"]
    assert worker.refused("jobTemplates", good)["type"] == "PermissionDenied"
    assert api.get("jobTemplates") == before


def test_a_job_does_not_become_overdue_through_a_clients_clock(api: Api) -> None:
    """The vendor's client sends its present time as the due date of every new template."""
    now = "2020-01-01T12:00:00.000000Z"
    dates = {"defaultDueDate": now, "defaultStartDate": now, "lastUpdatedDate": now}
    template = api.template("Not overdue", INTRODUCTION, **dates)
    assert "dueDate" not in api.get(f"jobs/{api.job(template)}")
