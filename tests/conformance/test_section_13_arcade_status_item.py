"""rest.md 13: expressions, the server's status, the item."""

from typing import Any

import pytest

from tests.conformance.people import Person


def evaluate(person: Person, expression: str, **members: Any) -> str:
    answer = person.post("evaluateArcade", {"expression": expression} | members)
    assert set(answer) == {"result"}
    return str(answer["result"])


def test_evaluate_arcade_answers_with_the_result_as_text(viewer: Person) -> None:
    assert evaluate(viewer, "'test ' + '123'") == "test 123"


def test_check_status_tells_the_licence_to_everybody(admin: Person) -> None:
    for path in ("/workflow/checkStatus", "/workflow/checkStatus?f=json", "/workflow/checkStatus/"):
        assert admin.client.get(path).json() == {"success": True, "hasAdvancedLicense": True}


def test_health_check_needs_no_token(admin: Person) -> None:
    for path in ("/workflow/healthCheck", "/workflow/healthCheck/?f=json"):
        assert admin.client.get(path, follow_redirects=False).json() == {"success": True}


def test_get_item_tells_its_version(viewer: Person) -> None:
    found = viewer.get("")
    assert {"itemVersion", "upgradeAvailable", "allowUnsecureWebhooks", "customSMTP"} <= set(found)
    assert isinstance(found["itemVersion"], str)
    assert found["customSMTP"] is False


@pytest.mark.parametrize(
    ("expression", "mode", "result"),
    [
        ("'Job name = ' + jobName($job)", "Standard", "Job name = Arcade @ Tests"),
        ("'Job name = ' + jobName($job)", "URL", "Job name = Arcade+%40+Tests"),
        ("'Job name = ' + JOBNAME($JOB)", None, "Job name = Arcade @ Tests"),
        ("jobName($job)", "Query", "Arcade @ Tests"),
    ],
)
def test_a_job_is_the_context_and_the_mode_says_how_its_values_are_written(
    admin: Person, two_steps: str, expression: str, mode: str | None, result: str
) -> None:
    job_id = admin.job(two_steps, jobName="Arcade @ Tests")
    context = {"contextType": "JobContext", "context": {"jobId": job_id}}
    assert evaluate(admin, expression, parseMode=mode, **context) == result


def test_what_the_vendors_client_sends_without_a_context_is_taken(admin: Person) -> None:
    body = {"contextType": "BaseContext", "context": None, "parseMode": "Standard", "f": "json"}
    assert evaluate(admin, "$currentUser", **body) == "admin"


def test_the_functions_of_a_job_are_known(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps, description="d", dueDate="2030-01-01T00:00:00Z")
    context = {"contextType": "JobContext", "context": {"jobId": job_id}}
    for expression, result in (
        ("JobDescription($job)", "d"),
        ("JobDueDate($job)", "1893456000"),
        ("JobCreator($job)", "admin"),
        ("JobEndDate($job)", ""),
        ("JobLocation($job)", ""),
        ("UserGroups($currentUser)", "'" + admin.get("community/users/admin")["groups"][0] + "'"),
    ):
        assert evaluate(admin, expression, **context) == result


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"expression": "1 +"},
        {"expression": "Buffer($job)"},
        {"expression": "1", "contextType": "JobContext"},
        {"expression": "1", "parseMode": "Loud"},
    ],
    ids=str,
)
def test_what_cannot_be_evaluated_is_refused(admin: Person, body: dict[str, Any]) -> None:
    assert admin.refused("evaluateArcade", body)["message"]
