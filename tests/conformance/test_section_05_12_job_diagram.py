"""rest.md 5.12: the diagram of a job is the version it is pinned to."""

from tests.conformance.people import Person, fresh


def test_get_job_diagram_gives_the_version_the_job_follows(admin: Person) -> None:
    name = fresh("Pinned")
    diagram = admin.diagram(name, [{"id": "one", "name": "Old"}])
    job_id = admin.job(admin.template(name, diagram))
    newer = {"diagramName": name, "displayGrid": True, "active": True, "steps": [{"id": "one", "name": "New"}]}
    admin.post(f"diagrams/{diagram}", {"diagram": newer})
    found = admin.get(f"jobs/{job_id}/diagram")
    assert (found["diagramId"], found["diagramVersion"], found["diagramName"]) == (diagram, 1, name)
    assert found["steps"][0]["name"] == "Old"
    assert (found["initialStepId"], found["initialStepName"]) == ("one", "Old")


def test_a_job_that_is_not_there_has_no_diagram(admin: Person) -> None:
    assert admin.not_found("jobs/unknown/diagram")["type"] == "JobNotFound"
