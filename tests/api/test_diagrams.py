from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.api.conftest import Api, error

REAL = Path(__file__).parents[3] / "shared" / "data" / "introduction-diagram.json"


def body(name: str, **members: Any) -> dict[str, Any]:
    return {"diagramName": name, "displayGrid": True, "steps": [{"id": "a", "name": "A", "paths": []}]} | members


def test_a_diagram_is_created_and_given_back_with_all_its_members(api: Api) -> None:
    given = body("Round trip", active=True, ours={"x": [1, None, 2.5]}, annotations="", initialStepId="")
    created = api.post("diagrams", given)
    assert list(created) == ["diagramId"]
    found = api.get(f"diagrams/{created['diagramId']}?f=json")
    assert found["ours"] == given["ours"]
    assert found["steps"] == given["steps"]
    assert (found["initialStepId"], found["initialStepName"], found["diagramVersion"]) == ("a", "A", 1)
    assert found["annotations"] == []
    assert api.get(f"diagrams/{created['diagramId']}/1") == found
    assert api.get(f"diagrams/{created['diagramId']}/-1") == found


def test_the_list_says_what_is_active_and_what_is_a_draft(api: Api) -> None:
    diagram_id = api.diagram("Listed", [{"id": "a"}], active=False, description="text")
    line = next(each for each in api.get("diagrams")["diagrams"] if each["diagramId"] == diagram_id)
    assert line == {
        "diagramId": diagram_id,
        "diagramName": "Listed",
        "description": "text",
        "active": False,
        "draft": True,
    }


def test_an_update_makes_the_next_version(api: Api) -> None:
    diagram_id = api.diagram("Updated", [{"id": "a"}])
    update = {"deleteDraft": True, "diagram": body("Updated", active=True, annotations="")}
    assert api.post(f"diagrams/{diagram_id}", update) == {"success": True}
    assert api.get(f"diagrams/{diagram_id}")["diagramVersion"] == 2
    assert api.get(f"diagrams/{diagram_id}/1")["diagramVersion"] == 1


@pytest.mark.parametrize("version", ["0", "9", "x", "1.5", "-", "99999999999999999999999", "%00"])
def test_a_version_that_is_not_there_is_not_found(api: Api, version: str) -> None:
    diagram_id = next(iter(api.get("diagrams")["diagrams"]))["diagramId"]
    error(api.call("GET", f"diagrams/{diagram_id}/{version}"), 404)


def test_a_diagram_that_is_not_there_is_not_found(api: Api) -> None:
    assert error(api.call("GET", "diagrams/nowhere"), 404)["type"] == "DiagramNotFound"
    api.refused("diagrams/nowhere", {"diagram": body("Nowhere")})


@pytest.mark.parametrize(
    ("given", "name", "fault"),
    [
        ({}, "InvalidValue", "WorkflowDiagram was invalid"),
        (body("Introduction to Workflow Manager"), "InvalidDiagramNameDuplicate", "another diagram"),
        (body("X", diagramId="99o2QTePTqq-BHRHK_Aeag"), "InvalidDiagramIdDuplicate", "already"),
        (body(""), "InvalidDiagramName", "diagramName"),
        (body("X", active=True, steps=[]), "InvalidFirstStep", "initial step"),
    ],
)
def test_a_diagram_that_cannot_be_saved_is_refused(api: Api, given: Any, name: str, fault: str) -> None:
    before = api.get("diagrams")
    found = api.refused("diagrams", given)
    assert found["type"] == name
    assert fault in found["message"]
    assert api.get("diagrams") == before


def test_an_update_needs_a_diagram(api: Api) -> None:
    diagram_id = api.diagram("Needs a body", [{"id": "a"}])
    bad: list[dict[str, Any]] = [{}, {"diagram": None}, {"diagram": "x"}, {"diagram": {}}]
    bad.append({"diagram": body("Y"), "deleteDraft": "no"})
    for given in bad:
        api.refused(f"diagrams/{diagram_id}", given)


def test_a_worker_reads_and_does_not_design(worker: Api) -> None:
    assert worker.get("diagrams")["diagrams"]
    assert worker.refused("diagrams", body("Theirs"))["type"] == "PermissionDenied"


@pytest.mark.skipif(not REAL.exists(), reason="the vendor's sample diagram is not on this machine")
def test_a_real_diagram_is_taken_and_given_back(api: Api) -> None:
    given = msgspec.json.decode(REAL.read_bytes()) | {"diagramName": "Real"}
    found = api.get(f"diagrams/{api.post('diagrams', given)['diagramId']}")
    assert found["steps"] == given["steps"]
    assert found["initialStepName"] == "Welcome"
