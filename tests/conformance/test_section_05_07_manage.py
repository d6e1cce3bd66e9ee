"""rest.md 5.7: jobs are closed, reopened, deleted and upgraded."""

from typing import Any

import pytest

from tests.conformance.people import Person, fresh

PRIVILEGE_OF = {"Close": "jobClose", "Reopen": "jobReopenClosed", "Delete": "jobDelete", "Upgrade": "jobUpgrade"}


def waiting(**members: Any) -> dict[str, Any]:
    return {"id": "ask", "name": "Ask", "action": {"actionType": "Manual", "args": {"userPrompt": "Do"}}} | members


def manage(person: Person, kind: str, *job_ids: str) -> Any:
    return person.post("jobs/manage", {"type": kind, "jobIds": list(job_ids)})


def test_manage_jobs_answers_success(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    for kind in ("Upgrade", "Close", "Reopen", "Delete"):
        assert manage(admin, kind, job_id)["success"] is True


def test_close_sets_the_end_and_the_templates_final_status(admin: Person) -> None:
    job_id = admin.job(admin.made([waiting()], defaultFinalStatus="Completed"))
    manage(admin, "Close", job_id)
    job = admin.read(job_id)
    assert (job["closed"], job["jobStatus"], job["closedBy"]) == (True, "Completed", "admin")
    assert job["endDate"].endswith("Z")
    assert admin.history(job_id)[-1] == "Closed"
    assert manage(admin, "Close", job_id)["success"] is True, "closing what is closed is no refusal"


def test_reopen_clears_the_end_and_makes_the_step_active_again(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    steps = admin.read(job_id)["currentSteps"]
    manage(admin, "Close", job_id)
    manage(admin, "Reopen", job_id)
    job = admin.read(job_id)
    assert (job["closed"], job["currentSteps"]) == (False, steps)
    assert "endDate" not in job
    assert "Reopened" in admin.history(job_id)
    assert "Reactivated" in admin.history(job_id)
    assert manage(admin, "Reopen", job_id)["success"] is False, "an open job is refused"


def test_delete_takes_the_job_and_all_it_has(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    added = admin.post(f"jobs/{job_id}/attachmentslinked", {"attachments": [{"url": "https://example.com"}]})
    attachment = added["attachments"][0]["attachmentId"]
    manage(admin, "Delete", job_id)
    for path in ("", "/attachments", f"/attachments/{attachment}", "/comments", "/history", "/location", "/diagram"):
        admin.not_found(f"jobs/{job_id}{path}")
    assert admin.post("jobs/statistics", {"q": f"jobId='{job_id}'"})["total"] == 0
    admin.refused(f"jobTemplates/{two_steps}/job", {"jobId": job_id})


def test_upgrade_moves_a_job_to_the_latest_active_version_with_its_steps(admin: Person) -> None:
    name, job_ids = fresh("Upgraded"), []
    diagram = admin.diagram(name, [waiting()])
    template = admin.template(name, diagram)
    job_ids = [admin.job(template), admin.job(template)]
    manage(admin, "Close", job_ids[1])
    newer = {"diagramName": name, "displayGrid": True, "active": True, "steps": [waiting(name="Ask again")]}
    admin.post(f"diagrams/{diagram}", {"diagram": newer})
    answer = manage(admin, "Upgrade", *job_ids)
    assert answer["success"] is False, "a closed job is refused"
    job, closed = (admin.read(job_id) for job_id in job_ids)
    assert (job["diagramVersion"], closed["diagramVersion"]) == (2, 1)
    assert [(step["stepId"], step["stepName"]) for step in job["currentSteps"]] == [("ask", "Ask again")]
    assert "Upgraded" in admin.history(job_ids[0])
    gone = newer | {"steps": [waiting(id="other")]}
    admin.post(f"diagrams/{diagram}", {"diagram": gone})
    assert manage(admin, "Upgrade", job_ids[0])["success"] is False, "its step is not in the new version"
    assert admin.read(job_ids[0])["diagramVersion"] == 2


@pytest.mark.parametrize("kind", ["Close", "Delete", "Upgrade"])
def test_a_running_job_is_refused(admin: Person, kind: str) -> None:
    name = fresh("Running")
    diagram = admin.diagram(name, [waiting()])
    job_id = admin.job(admin.template(name, diagram))
    newer = {"diagramName": name, "displayGrid": True, "active": True, "steps": [waiting()]}
    admin.post(f"diagrams/{diagram}", {"diagram": newer})
    admin.acts(job_id, "Run")
    before = admin.read(job_id)
    answer = manage(admin, kind, job_id)
    assert answer["success"] is False
    assert answer["message"]
    assert answer["name"]
    assert admin.read(job_id) == before


def test_an_unknown_id_is_told_and_the_others_are_done(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    answer = manage(admin, "Close", "unknown", job_id)
    assert (answer["success"], answer["name"]) == (False, "JobNotFound")
    assert [each["success"] for each in answer["jobs"]] == [False, True]
    assert admin.read(job_id)["closed"] is True


@pytest.mark.parametrize("kind", PRIVILEGE_OF)
def test_each_type_needs_its_own_privilege(admin: Person, hire: Any, two_steps: str, kind: str) -> None:
    job_id = admin.job(two_steps)
    if kind == "Reopen":
        manage(admin, "Close", job_id)
    before = admin.read(job_id)
    others = hire(*(set(PRIVILEGE_OF.values()) - {PRIVILEGE_OF[kind]}))
    assert others.refused("jobs/manage", {"type": kind, "jobIds": [job_id]})["type"] == "PermissionDenied"
    assert admin.read(job_id) == before
    assert manage(hire(PRIVILEGE_OF[kind]), kind, job_id)["success"] is True


@pytest.mark.parametrize(
    "body", [{}, {"type": "Close"}, {"jobIds": ["x"]}, {"type": "Archive", "jobIds": ["x"]}], ids=str
)
def test_both_members_are_required(admin: Person, body: dict[str, Any]) -> None:
    admin.refused("jobs/manage", body)


@pytest.mark.parametrize("kind", ["Close", "Delete"])
def test_jobs_that_waited_for_it_are_released(admin: Person, two_steps: str, kind: str) -> None:
    job_id, waits = admin.job(two_steps), admin.job(two_steps)
    admin.acts(waits, "Hold", dependentJobId=job_id)
    assert admin.status(waits, "Run") == ["Held"]
    manage(admin, kind, job_id)
    assert admin.status(waits, "Run") == ["Success"]
