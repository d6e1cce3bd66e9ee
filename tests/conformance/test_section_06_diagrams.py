"""rest.md 6: diagrams and their versions."""

from typing import Any

import pytest

from tests.api.conftest import error
from tests.conformance.people import Person, fresh

STEP = {"id": "one", "name": "One", "paths": []}


def body(name: str, *steps: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"diagramName": name, "displayGrid": True, "active": True, "steps": list(steps or (STEP,))} | members


def line(person: Person, diagram_id: str) -> dict[str, Any]:
    """Its line in the list."""
    (found,) = [each for each in person.get("diagrams")["diagrams"] if each["diagramId"] == diagram_id]
    return dict(found)


def versions(person: Person, diagram_id: str) -> list[int]:
    """The versions that can be read by their number."""
    return [
        number for number in range(1, 5) if person.call("GET", f"diagrams/{diagram_id}/{number}").status_code == 200
    ]


def test_get_diagrams_says_what_is_active_and_what_is_a_draft(admin: Person) -> None:
    name = fresh("Listed")
    active, draft = admin.diagram(name, [STEP], description="d"), admin.diagram(f"{name} b", [STEP], active=False)
    assert line(admin, active) == {
        "diagramId": active,
        "diagramName": name,
        "description": "d",
        "active": True,
        "draft": False,
    }
    assert (line(admin, draft)["active"], line(admin, draft)["draft"]) == (False, True)


def test_create_diagram_answers_with_its_id_and_no_success(designer: Person) -> None:
    answer = designer.post("diagrams", body(fresh("Created")))
    assert "success" not in answer
    assert designer.get(f"diagrams/{answer['diagramId']}")["diagramId"] == answer["diagramId"]


def test_check_diagram_answers_with_warnings_and_stores_nothing(designer: Person) -> None:
    before = designer.get("diagrams")
    looping = [{"id": "a", "paths": [{"nextStep": "b"}]}, {"id": "b", "paths": [{"nextStep": "b"}]}]
    (found,) = designer.post("checkDiagram", body(fresh("Checked")) | {"steps": looping})["warnings"]
    assert found["kind"] == "deadEnd"
    assert designer.get("diagrams") == before


def test_get_diagram_gives_the_latest_active_version(admin: Person) -> None:
    name = fresh("Latest")
    diagram = admin.diagram(name, [STEP])
    admin.post(f"diagrams/{diagram}", {"diagram": body(name, STEP | {"name": "Second"})})
    admin.post(f"diagrams/{diagram}", {"diagram": body(name, STEP | {"name": "Draft"}, active=False)})
    found = admin.get(f"diagrams/{diagram}")
    assert (found["diagramVersion"], found["steps"][0]["name"]) == (2, "Second")
    assert {"initialStepId", "initialStepName", "displayGrid", "annotations"} - set(found) <= {"annotations"}


def test_update_diagram_answers_success_and_makes_a_version(admin: Person) -> None:
    name = fresh("Versions")
    diagram = admin.diagram(name, [STEP])
    answer = admin.post(f"diagrams/{diagram}", {"deleteDraft": True, "diagram": body(name)})
    assert answer["success"] is True
    assert versions(admin, diagram) == [1, 2]


def test_get_diagram_version_gives_that_version_or_404(admin: Person) -> None:
    name = fresh("Numbered")
    diagram = admin.diagram(name, [STEP])
    admin.post(f"diagrams/{diagram}", {"diagram": body(name, STEP | {"name": "Second"})})
    assert admin.get(f"diagrams/{diagram}/1")["steps"][0]["name"] == "One"
    assert admin.get(f"diagrams/{diagram}/-1")["diagramVersion"] == 2, "without a draft -1 is the latest active one"
    for version in ("3", "0", "-2", "first"):
        admin.not_found(f"diagrams/{diagram}/{version}")


def test_delete_diagram_takes_all_its_versions(admin: Person) -> None:
    name = fresh("Deleted")
    diagram = admin.diagram(name, [STEP])
    admin.post(f"diagrams/{diagram}", {"diagram": body(name)})
    assert admin.delete(f"diagrams/{diagram}") == {"success": True}
    admin.not_found(f"diagrams/{diagram}")
    error(admin.call("DELETE", f"diagrams/{diagram}"), 404)


def test_delete_diagram_version_leaves_the_others(admin: Person) -> None:
    name = fresh("Thinned")
    diagram = admin.diagram(name, [STEP])
    admin.post(f"diagrams/{diagram}", {"diagram": body(name)})
    assert admin.delete(f"diagrams/{diagram}/1") == {"success": True}
    assert versions(admin, diagram) == [2]
    error(admin.call("DELETE", f"diagrams/{diagram}/1"), 404)


def test_get_upgraded_diagram_shows_another_form_and_saves_nothing(designer: Person, viewer: Person) -> None:
    sources = [{"name": "Buffer", "url": "https://gis.example/arcgis/rest/services/Buffer/GPServer", "sourceType": "x"}]
    diagram = designer.diagram(fresh("Upgraded"), [STEP], dataSources=sources)
    answer = designer.get(f"diagrams/{diagram}/1/upgraded")
    assert set(answer) == {
        "transformedDiagram",
        "modifiedStepIds",
        "failedStepIds",
        "modifiedDataSourceNames",
        "failedDataSourceNames",
    }
    assert answer["modifiedDataSourceNames"] == ["Buffer"]
    assert designer.get(f"diagrams/{diagram}")["dataSources"] == sources
    designer.not_found(f"diagrams/{diagram}/7/upgraded")
    error(viewer.call("GET", f"diagrams/{diagram}/1/upgraded"), 403)


# ---------------------------------------------------------------- what is stored


def test_everything_that_was_sent_is_given_back(admin: Person) -> None:
    step: dict[str, Any] = STEP | {
        "stepTemplateId": "AVw8d-MryiKjHtuS9dJ7",
        "position": "1, 2, 3, 4",
        "shape": 1,
        "color": "1, 2, 3",
        "action": {"actionType": "SomethingNew", "args": {"deep": [{"er": 1}]}},
        "ownMember": "kept",
    }
    extra = {
        "annotations": [{"position": "0,0,1,1", "text": "here"}],
        "centralizedDataReferences": [{"id": "{r}", "alias": "R", "isValidated": True, "referenceType": "WebMap"}],
        "useCentralizedDataReferences": False,
        "displayGrid": False,
    }
    found = admin.get(f"diagrams/{admin.diagram(fresh('Whole'), [step], **extra)}")
    assert found["steps"] == [step]
    assert {name: found[name] for name in extra} == extra


@pytest.mark.parametrize("annotations", ["", None, []], ids=["text", "null", "list"])
def test_annotations_may_be_an_empty_text(admin: Person, annotations: Any) -> None:
    name = fresh("Annotated")
    diagram = admin.diagram(name, [STEP])
    answer = admin.post(f"diagrams/{diagram}", {"diagram": body(name, annotations=annotations)})
    assert answer["success"] is True
    assert admin.get(f"diagrams/{diagram}").get("annotations", []) in ([], "")


def test_the_initial_step_is_worked_out(admin: Person) -> None:
    steps: list[dict[str, Any]] = [{"id": "b", "name": "B"}, {"id": "a", "name": "A", "paths": [{"nextStep": "b"}]}]
    found = admin.get(f"diagrams/{admin.diagram(fresh('Start'), steps, initialStepId='', initialStepName='')}")
    assert (found["initialStepId"], found["initialStepName"]) == ("a", "A")


def test_a_path_to_a_step_that_is_not_there_is_tolerated(admin: Person) -> None:
    diagram = admin.diagram(fresh("Loose"), [STEP | {"paths": [{"nextStep": "nowhere"}]}])
    assert admin.get(f"diagrams/{diagram}")["diagramVersion"] == 1


def test_an_own_id_is_taken_once(admin: Person) -> None:
    own = fresh("own-diagram")
    assert admin.diagram(fresh("Own"), [STEP], diagramId=own) == own
    assert admin.refused("diagrams", body(fresh("Own"), diagramId=own))["type"] == "InvalidDiagramIdDuplicate"


def test_a_name_is_taken_once(admin: Person) -> None:
    name, other = fresh("Name"), fresh("Name")
    admin.diagram(name, [STEP])
    second = admin.diagram(other, [STEP])
    assert admin.refused("diagrams", body(name))["type"] == "InvalidDiagramNameDuplicate"
    refused = admin.refused(f"diagrams/{second}", {"diagram": body(name)})
    assert refused["type"] == "InvalidDiagramNameDuplicateUpdate"
    assert admin.get(f"diagrams/{second}")["diagramName"] == other


@pytest.mark.parametrize("missing", ["diagramName", "steps"])
def test_a_malformed_body_is_told_as_an_invalid_workflow_diagram(admin: Person, missing: str) -> None:
    malformed = {name: value for name, value in body(fresh("Bad")).items() if name != missing}
    assert "WorkflowDiagram was invalid" in admin.refused("diagrams", malformed)["message"]


@pytest.mark.parametrize(
    "steps",
    [
        [{"id": "a"}, {"id": "b"}],
        [{"id": "a", "paths": [{"nextStep": "b"}]}, {"id": "b", "paths": [{"nextStep": "a"}]}, {"id": "c"}],
    ],
    ids=["two starts", "orphans"],
)
def test_activation_wants_one_start_and_no_orphan_and_a_draft_does_not(
    admin: Person, steps: list[dict[str, Any]]
) -> None:
    admin.refused("diagrams", body(fresh("Unsound"), *steps))
    assert admin.diagram(fresh("Unsound"), steps, active=False)


# ---------------------------------------------------------------- versions


def test_a_diagram_that_was_never_activated_is_shown_as_its_draft(admin: Person) -> None:
    diagram = admin.diagram(fresh("Draft"), [STEP], active=False)
    for path in (f"diagrams/{diagram}", f"diagrams/{diagram}/-1"):
        assert admin.get(path)["diagramVersion"] == -1


@pytest.mark.parametrize(("delete_draft", "stays"), [(None, False), (True, False), (False, True)])
def test_an_active_update_takes_the_draft_along_unless_told_not_to(
    admin: Person, delete_draft: bool | None, stays: bool
) -> None:
    name = fresh("Drafted")
    diagram = admin.diagram(name, [STEP])
    admin.post(f"diagrams/{diagram}", {"diagram": body(name, active=False)})
    admin.post(f"diagrams/{diagram}", {"deleteDraft": delete_draft, "diagram": body(name)})
    assert line(admin, diagram)["draft"] is stays
    assert admin.get(f"diagrams/{diagram}/-1")["diagramVersion"] == (-1 if stays else 2)


def test_what_jobs_or_templates_use_is_not_deleted(admin: Person) -> None:
    name = fresh("Used")
    diagram = admin.diagram(name, [STEP])
    template = admin.template(name, diagram)
    error(admin.call("DELETE", f"diagrams/{diagram}"))
    admin.job(template)
    admin.post(f"diagrams/{diagram}", {"diagram": body(name)})
    error(admin.call("DELETE", f"diagrams/{diagram}/1"))
    assert versions(admin, diagram) == [1, 2]


def test_jobs_stay_on_their_version_until_they_are_upgraded(admin: Person) -> None:
    name = fresh("Stay")
    diagram = admin.diagram(name, [STEP])
    job_id = admin.job(admin.template(name, diagram))
    admin.post(f"diagrams/{diagram}", {"diagram": body(name)})
    assert admin.get(f"jobs/{job_id}")["diagramVersion"] == 1
    admin.post("jobs/manage", {"type": "Upgrade", "jobIds": [job_id]})
    assert admin.get(f"jobs/{job_id}")["diagramVersion"] == 2
