"""rest.md 5.2 and 14.1: a job is read with its basic members, and with the others on request."""

from tests.conformance.people import Person


def test_get_job_has_every_required_member(admin: Person, two_steps: str) -> None:
    job = admin.get(f"jobs/{admin.job(two_steps)}")
    assert {
        "jobId",
        "percentComplete",
        "priority",
        "jobStatus",
        "diagramId",
        "diagramName",
        "diagramVersion",
        "jobTemplateId",
        "jobTemplateName",
        "currentSteps",
        "activeVersions",
        "closed",
    } <= set(job)
    assert (job["closed"], job["activeVersions"], job["hasLocation"]) == (False, [], 0)
    assert "extendedProperties" not in job
    assert "relatedProperties" not in job
    assert "holds" not in job


def test_properties_and_holds_are_there_when_asked_for(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    for yes in ("true", "True", "1"):
        assert {"extendedProperties", "relatedProperties", "holds"} <= set(
            admin.get(f"jobs/{job_id}?extProps={yes}&holds={yes}")
        )
    for no in ("false", "False", "0"):
        assert not {"extendedProperties", "relatedProperties", "holds"} & set(
            admin.get(f"jobs/{job_id}?extProps={no}&holds={no}")
        )


def test_a_job_that_is_not_there_is_an_error_object(admin: Person) -> None:
    assert admin.not_found("jobs/unknown")["type"] == "JobNotFound"


def test_a_current_step_says_what_holds_it(admin: Person, two_steps: str) -> None:
    job_id, other = admin.job(two_steps), admin.job(two_steps)
    admin.acts(job_id, "Hold", holdScheduledRelease="2099-01-01T00:00:00Z")
    admin.acts(job_id, "Hold", dependentJobId=other)
    (step,) = admin.get(f"jobs/{job_id}")["currentSteps"]
    assert (step["manualHold"], step["dependencies"]) == (True, True)
    assert step["holdScheduledRelease"] == "2099-01-01T00:00:00Z"
    assert (step["stepId"], step["stepName"], step["canSkip"]) == ("one", "One", False)
    assert (step["assignedType"], step["assignedTo"]) == ("User", "admin")


def test_holds_that_are_over_stay_in_the_list(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    admin.acts(job_id, "Hold", "ReleaseHold", "Hold")
    over, present = admin.read(job_id)["holds"]
    assert {"jobId", "stepId", "holdId", "setBy", "setDate"} <= set(present)
    assert (over["releasedBy"], over["setBy"]) == ("admin", "admin")
    assert over["releasedDate"].endswith("Z")
    assert "releasedBy" not in present
