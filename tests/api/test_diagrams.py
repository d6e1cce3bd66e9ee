from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.domain.access import Role
from app.services.first_start import ADMIN, ORG_ID
from app.services.ports import Tx
from tests.api.conftest import Api, error, ok

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
    created = api.post("diagrams", given)
    assert created.keys() == {"diagramId"}  # it is sound
    found = api.get(f"diagrams/{created['diagramId']}")
    assert found["steps"] == given["steps"]
    assert found["initialStepName"] == "Welcome"


def delete(api: Api, path: str) -> Any:
    return api.call("DELETE", f"diagrams/{path}")


def test_a_diagram_is_deleted_with_all_its_versions(api: Api, worker: Api) -> None:
    diagram_id = api.diagram("Deleted", [{"id": "a"}])
    api.post(f"diagrams/{diagram_id}", {"diagram": body("Deleted", active=True)})
    api.post(f"diagrams/{diagram_id}", {"diagram": body("Deleted")})
    assert error(delete(worker, diagram_id))["type"] == "PermissionDenied"
    assert error(delete(worker, f"{diagram_id}/1"))["type"] == "PermissionDenied"
    assert api.get(f"diagrams/{diagram_id}/1")["diagramVersion"] == 1
    assert ok(delete(api, diagram_id)) == {"success": True}
    assert diagram_id not in {each["diagramId"] for each in api.get("diagrams")["diagrams"]}
    for path in (diagram_id, f"{diagram_id}/1", f"{diagram_id}/-1"):
        error(api.call("GET", f"diagrams/{path}"), 404)
        assert error(delete(api, path), 404)["type"] == "DiagramNotFound"
    assert api.diagram("Deleted", [{"id": "a"}])


def test_one_version_is_deleted_and_the_others_stay(api: Api) -> None:
    diagram_id = api.diagram("Versions", [{"id": "a"}])
    api.post(f"diagrams/{diagram_id}", {"diagram": body("Versions", active=True)})
    for path in ("-1", "0", "3", "x", "9" * 30):
        assert error(delete(api, f"{diagram_id}/{path}"), 404)["type"] == "DiagramNotFound"
    assert ok(delete(api, f"{diagram_id}/2")) == {"success": True}
    assert api.get(f"diagrams/{diagram_id}")["diagramVersion"] == 1
    api.post(f"diagrams/{diagram_id}", {"diagram": body("Versions")})
    assert ok(delete(api, f"{diagram_id}/-1")) == {"success": True}
    assert api.get(f"diagrams/{diagram_id}/-1")["diagramVersion"] == 1


def test_what_jobs_or_templates_use_is_not_deleted(api: Api) -> None:
    diagram_id = api.diagram("In use", [{"id": "a"}])
    template_id = api.template("Uses it", diagram_id)
    for path in (diagram_id, f"{diagram_id}/1"):
        found = error(delete(api, path))
        assert found["type"] == "DiagramInUse"
        assert "'Uses it'" in found["message"]
    job_id = api.job(template_id)
    api.post(f"diagrams/{diagram_id}", {"diagram": body("In use", active=True)})
    found = error(delete(api, f"{diagram_id}/1"))
    assert (found["type"], "1 jobs" in found["message"]) == ("DiagramInUse", True)
    assert "1 jobs" in error(delete(api, diagram_id))["message"]
    assert api.get(f"jobs/{job_id}/diagram")["diagramVersion"] == 1
    api.post("jobs/manage", {"type": "Upgrade", "jobIds": [job_id]})
    assert ok(delete(api, f"{diagram_id}/1")) == {"success": True}
    api.post("jobs/manage", {"type": "Delete", "jobIds": [job_id]})
    assert error(delete(api, f"{diagram_id}/2"))["type"] == "DiagramInUse"
    ok(api.call("DELETE", f"jobTemplates/{template_id}"))
    assert ok(delete(api, diagram_id)) == {"success": True}


def test_an_upgraded_form_is_shown_and_not_saved(api: Api, worker: Api) -> None:
    tool = {"name": "Tools", "url": "https://gis.example/rest/services/T/GPServer", "sourceType": "GPService"}
    layer = {"name": "Parcels", "url": "https://gis.example/rest/services/P/FeatureServer", "sourceType": "FS"}
    draw = {"id": "b", "action": {"actionType": "DefineLocation", "args": {"existingData": {"itemId": "1"}}}}
    steps = [{"id": "a", "paths": [{"nextStep": "b"}]}, draw]
    given = body("To upgrade", active=True, steps=steps, dataSources=[tool, layer, tool, 5], ours=1)
    diagram_id = api.post("diagrams", given)["diagramId"]
    before = api.get(f"diagrams/{diagram_id}")
    found = api.get(f"diagrams/{diagram_id}/1/upgraded")
    assert found == api.get(f"diagrams/{diagram_id}/1/upgraded")
    assert (found["modifiedStepIds"], found["failedStepIds"]) == ([], ["b"])
    assert (found["modifiedDataSourceNames"], found["failedDataSourceNames"]) == (["Tools"], ["Parcels", "Tools", ""])
    after = found["transformedDiagram"]
    (reference,) = after["centralizedDataReferences"]
    assert (reference["alias"], reference["standaloneGPUrl"]) == ("Tools", tool["url"])
    assert (after["dataSources"], after["useCentralizedDataReferences"]) == ([layer, tool, 5], False)
    assert (after["steps"], after["ours"]) == (steps, 1)
    assert api.get(f"diagrams/{diagram_id}") == before
    error(api.call("GET", f"diagrams/{diagram_id}/7/upgraded"), 404)
    assert error(worker.call("GET", f"diagrams/{diagram_id}/1/upgraded"), 403)["type"] == "PermissionDenied"


def test_a_diagram_with_nothing_left_behind_uses_references(api: Api) -> None:
    tool = {"name": "Tools", "url": "https://gis.example/rest/services/T/GPServer"}
    given = body("Upgraded", active=True, dataSources=[tool])
    diagram_id = api.post("diagrams", given)["diagramId"]
    after = api.get(f"diagrams/{diagram_id}/1/upgraded")["transformedDiagram"]
    assert (after["dataSources"], after["useCentralizedDataReferences"]) == ([], True)
    del after["diagramVersion"]
    api.post(f"diagrams/{diagram_id}", {"diagram": after})
    again = api.get(f"diagrams/{diagram_id}/-1/upgraded")
    assert again["modifiedDataSourceNames"] == []
    assert again["transformedDiagram"]["centralizedDataReferences"] == after["centralizedDataReferences"]


def test_another_items_diagrams_are_out_of_reach(api: Api) -> None:
    diagram_id = api.diagram("Mine alone", [{"id": "a"}])

    def second(tx: Tx) -> None:
        """An item in which the administrator may design, too."""
        if tx.item(ORG_ID, "d" * 32) is None:
            item = tx.add_item("d" * 32, ORG_ID, "Second")
            tx.put_role(item, Role("Designer", "Designs.", ("adminBasic",)))
            for group_id in tx.user(ADMIN).groups:  # type: ignore[union-attr]  # the fixture has made this user
                tx.link_role(item, group_id, "Designer", True)

    assert api.client.portal is not None
    api.client.portal.call(api.gateway.engine.store.run, second)
    headers = {"Authorization": f"Bearer {api.token()}"}
    other = f"/{ORG_ID}/{'d' * 32}/diagrams"
    assert ok(api.client.get(other, headers=headers)) == {"diagrams": []}
    for method, path in (
        ("GET", diagram_id),
        ("GET", f"{diagram_id}/1/upgraded"),
        ("DELETE", diagram_id),
        ("DELETE", f"{diagram_id}/1"),
    ):
        found = error(api.client.request(method, f"{other}/{path}", headers=headers), 404)
        assert found["type"] == "DiagramNotFound"
    assert api.get(f"diagrams/{diagram_id}/1")["diagramVersion"] == 1


def test_an_active_diagram_is_stored_with_warnings_about_what_is_wrong(api: Api) -> None:
    question = {"questionResponses": {"Yes": {"value": 1}, "No": {"value": 0}}}
    steps = [
        {"id": "a", "paths": [{"nextStep": "q"}]},
        {
            "id": "q",
            "action": {"actionType": "Question", "args": question},
            "paths": [
                {"nextStep": "gone", "expression": "$retVal == 0"},
                {"nextStep": "e", "expression": "$retVal == 1"},
            ],
        },
        {"id": "e"},
    ]
    assert api.post("diagrams", body("No warnings for a draft", steps=steps)).keys() == {"diagramId"}
    created = api.post("diagrams", body("Warnings", active=True, steps=steps))
    assert created.keys() == {"diagramId", "warnings"}
    no_path, missing = created["warnings"]
    shown = {"stepIds": ["q"], "currentSteps": ["q"], "pendingSteps": []}
    assert no_path.items() >= shown.items()
    assert (no_path["kind"], no_path["returnValues"]) == ("valueWithoutPath", [0])
    assert no_path["run"] == [{"stepId": "a", "returnValue": "stepSuccess"}]
    assert "'q'" in no_path["message"]
    assert (missing["kind"], missing["missingStepIds"]) == ("missingStep", ["gone"])
    update = {"diagram": body("Warnings", active=True, steps=steps)}
    assert api.post(f"diagrams/{created['diagramId']}", update) == {"success": True, "warnings": created["warnings"]}
    fine = {"diagram": body("Warnings", active=True)}
    assert api.post(f"diagrams/{created['diagramId']}", fine) == {"success": True}
    assert api.get(f"diagrams/{created['diagramId']}/2")["steps"] == steps


def test_a_diagram_is_checked_as_if_it_were_active_and_nothing_is_stored(api: Api, worker: Api) -> None:
    before = api.get("diagrams")
    loops = [
        {"id": "a", "paths": [{"nextStep": "b"}]},
        {"id": "b", "paths": [{"nextStep": "c"}]},
        {"id": "c", "paths": [{"nextStep": "b"}]},
    ]
    (found,) = api.post("checkDiagram", body("Checked", steps=loops))["warnings"]
    assert (found["kind"], found["currentSteps"]) == ("deadEnd", ["b"])
    assert api.post("checkDiagram", body("Checked")) == {"warnings": []}
    two_starts = [{"id": "a"}, {"id": "b"}]
    assert "exactly one initial step" in api.refused("checkDiagram", body("Checked", steps=two_starts))["message"]
    assert worker.refused("checkDiagram", body("Checked"), 403)["type"] == "PermissionDenied"
    assert api.get("diagrams") == before
