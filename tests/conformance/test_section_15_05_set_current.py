"""rest.md 15.5: a step is made the only current one."""

from typing import Any

from tests.conformance.people import ADVANCED, Person
from tests.conformance.steps import quiet, step

STEPS = [step("a", "b", "c"), step("b", "end"), step("c", "end"), quiet("end", automatic=True)]


def split(admin: Person) -> str:
    """A job at ``b`` and ``c``."""
    job_id = admin.job_on(*STEPS)
    admin.acts(job_id, "Run", "Finish")
    return job_id


def test_the_step_becomes_the_only_current_one(admin: Person) -> None:
    job_id = split(admin)
    admin.acts(job_id, "SetCurrentStep", stepIds=["a"])
    assert admin.current(job_id) == ["a"]
    assert admin.history(job_id)[-3:] == ["Deactivated", "Deactivated", "Activated"]


def test_it_keeps_the_previous_assignment(admin: Person) -> None:
    job_id = split(admin)
    for name in ("b", "c"):
        admin.post(f"jobs/{job_id}/{name}", {"assignedType": "User", "assignedTo": ADVANCED})
    Person(admin.client, ADVANCED).refused(f"jobs/{job_id}/action", {"type": "SetCurrentStep", "stepIds": ["a"]})
    admin.post(f"jobs/{job_id}/b", {"assignedType": "User", "assignedTo": "admin"})
    admin.acts(job_id, "SetCurrentStep", stepIds=["a"])
    (now,) = admin.read(job_id)["currentSteps"]
    assert (now["stepId"], now["assignedTo"]) == ("a", "admin")


def test_it_is_not_run_even_if_automatic(admin: Person) -> None:
    job_id = split(admin)
    admin.acts(job_id, "SetCurrentStep", stepIds=["end"])
    assert admin.current(job_id) == ["end"]
    assert admin.history(job_id)[-1] == "Activated"


def test_the_step_that_is_current_already_can_be_set(admin: Person) -> None:
    job_id = admin.job_on(*STEPS)
    admin.acts(job_id, "SetCurrentStep", stepIds=["a"])
    assert admin.current(job_id) == ["a"]


def test_not_while_the_job_runs_and_not_when_it_is_closed(admin: Person) -> None:
    job_id = split(admin)
    admin.acts(job_id, "Run", stepIds=["b"])
    assert admin.status(job_id, "SetCurrentStep", stepIds=["a"]) == ["AlreadyExecuting"]
    admin.acts(job_id, "Stop", stepIds=["b"])
    admin.post("jobs/manage", {"type": "Close", "jobIds": [job_id]})
    assert admin.status(job_id, "SetCurrentStep", stepIds=["a"]) == ["JobClosed"]
    assert sorted(admin.current(job_id)) == ["b", "c"]


def test_exactly_one_step_is_named(admin: Person) -> None:
    job_id = admin.job_on(*STEPS)
    wrong: list[dict[str, Any]] = [{}, {"stepIds": []}, {"stepIds": ["a", "b"]}]
    for named in wrong:
        admin.refused(f"jobs/{job_id}/action", {"type": "SetCurrentStep"} | named)
