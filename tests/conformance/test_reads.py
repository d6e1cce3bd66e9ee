"""Every read, tried by those who may not, and where there is nothing to be read."""

import re
from typing import Any

import pytest
from starlette.testclient import WebSocketDenialResponse

from tests.api.conftest import error, ok
from tests.conformance.people import SECOND, Person, fresh
from tests.conformance.reads import READS, Read
from tests.conformance.rows import ITEM
from tests.conformance.scene import IDLE, RUNNING, Scene
from tests.conformance.writes import outcome

ABOVE = ("404 JobNotFound", "404 JobTemplateNotFound")
"""What is told when the thing is not there because its job or template is not."""

every_read = pytest.mark.parametrize("read", READS, ids=lambda read: read.operation)


@pytest.fixture(scope="module")
def scene(client: Any) -> Scene:
    scene = Scene(Person(client))
    for read in READS:
        read.path.format_map(scene.of(IDLE))  # made now, so that each test could come across it
    return scene


@every_read
def test_a_read_without_a_token_is_refused(admin: Person, scene: Scene, read: Read) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        assert error(read.send(admin, scene, headers=headers), 401)["type"] == "Unauthenticated"


@every_read
def test_a_read_with_the_token_of_somebody_without_a_role_is_refused(
    client: Any, outsider: Person, stranger: Person, scene: Scene, read: Read
) -> None:
    for person in (outsider, Person(client, stranger.username)):
        assert error(read.send(person, scene), 403)["type"] == "PermissionDenied"


@every_read
def test_a_read_needs_its_privilege_or_any_role(viewer: Person, admin: Person, scene: Scene, read: Read) -> None:
    response = read.send(viewer, scene)
    if read.needs:
        assert error(response, 403)["type"] == "PermissionDenied"
    else:
        assert response.status_code == 200
    assert read.send(admin, scene).status_code == 200


@pytest.mark.parametrize("read", [read for read in READS if read.missing], ids=lambda read: read.operation)
def test_what_is_not_there_is_not_found(admin: Person, scene: Scene, read: Read) -> None:
    for segment in re.findall(r"{(\w+)}", read.path) or ["jobId"]:
        if segment != "templateType":
            instead = {segment: "77" if segment == "diagramVersion" else "unknown"}
            response = read.send(admin, scene, ids=instead)
            assert outcome(response) in {f"{read.status} {read.missing}", *ABOVE}


@every_read
def test_the_ids_of_another_item_name_nothing_in_ones_own(stranger: Person, scene: Scene, read: Read) -> None:
    """The administrator of the second item finds none of the first one's things, and is told nothing of them."""
    response = read.send(stranger, scene)
    if read.missing is None or read.operation == "getGroup":  # groups are the portal's, and this one has no role here
        ok(response)
    else:
        assert outcome(response) in {f"{read.status} {read.missing}", *ABOVE}
    told = response.text if "error" not in response.json() else ""
    made = scene.made()
    assert not [each for each in made if f'"{each}"' in told]


@every_read
def test_an_item_that_is_not_there_has_nothing_to_read(admin: Person, scene: Scene, read: Read) -> None:
    for root in (ITEM.format(orgId="workflow", itemId="3" * 32), ITEM.format(orgId="another", itemId="0" * 31 + "1")):
        nowhere = Person(admin.client, admin.username, root)
        assert error(read.send(nowhere, scene), 404)["type"] == "ItemNotFound"


# ---------------------------------------------------------------- what bodies name


def test_bodies_cannot_name_what_is_another_items(stranger: Person, scene: Scene) -> None:
    """The second item has a diagram and a template of its own; what they are given of the first one is not there."""
    steps = [{"id": "one", "name": "One"}]
    name = fresh("Theirs")
    diagram = stranger.diagram(name, steps)
    template = stranger.template(name, diagram, defaultAssignedType="Unassigned", defaultAssignedTo=None)
    theirs, ours = stranger.job(template), scene.job(IDLE)
    for path, body in (
        ("jobTemplates", {"diagramId": scene.thing("diagramId"), "diagramName": "", "jobTemplateName": fresh("T")}),
        (f"jobTemplates/{template}/job", {"parentJob": ours}),
        (f"jobTemplates/{template}/job", {"assignedType": "User", "assignedTo": "basic"}),
        (f"jobTemplates/{template}/job", {"ownedBy": "basic"}),
        (f"jobs/{theirs}/update", {"parentJob": ours}),
        (f"jobs/{theirs}/update", {"ownedBy": "basic"}),
        (f"jobs/{theirs}/action", {"type": "Hold", "dependentJobId": ours}),
        (f"jobs/{theirs}/currentStep", {"assignedType": "Group", "assignedTo": "basic"}),
        ("community/groups/stranger", {"adds": {"roles": [scene.thing("roleName")]}}),
    ):
        needed = {"defaultPriorityName": "Low", "state": "Draft"} if path == "jobTemplates" else {}
        stranger.refused(path, body | needed)
    managed = stranger.post("jobs/manage", {"type": "Delete", "jobIds": [ours]})
    assert (managed["success"], managed["name"]) == (False, "JobNotFound")


def test_a_websocket_of_another_item_hears_nothing_of_ones_own(stranger: Person, admin: Person, scene: Scene) -> None:
    with stranger.watch() as watcher:
        watcher.send(msgType="subscribe", jobIds=[scene.job(RUNNING)])
        told = watcher.next()
        assert (told["msgType"], told["message"]["msgCode"]) == ("Error", "not_found")
        watcher.answer(scene.job(RUNNING), "ask", manualResponse=True)
        assert watcher.next()["msgType"] == "Error"
    assert stranger.root == SECOND
    assert [step["stepId"] for step in admin.get(f"jobs/{scene.job(RUNNING)}")["currentSteps"]] == ["ask"]


def test_a_websocket_opens_only_for_people_of_an_item_that_is_there(client: Any, stranger: Person) -> None:
    here = Person(client, stranger.username)
    nowhere = Person(client, stranger.username, SECOND[:-1])
    for person, status in ((here, 403), (nowhere, 404)):
        with pytest.raises(WebSocketDenialResponse) as refused, person.watch():
            pass
        assert refused.value.status_code == status
