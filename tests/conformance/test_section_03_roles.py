"""rest.md 3 and 16: roles and their privileges, as a new item has them."""

from collections.abc import Callable

import pytest

from app.services.first_start import ADMIN
from tests.conformance.people import ADVANCED, BASIC, DESIGNER, VIEWER, Person, fresh

Hire = Callable[..., Person]

VIEWS = {
    "viewDetailsPanelAttachments",
    "viewDetailsPanelProperties",
    "viewDetailsPanelLocation",
    "viewDetailsPanelNotes",
    "viewDetailsPanelComments",
}
ALL = (
    "adminAdvanced jobAssignGroup jobForceStop jobUpdateHolds jobUpdateAttachments queryUpdate jobAssignIndividual "
    "jobAssignAny jobCreate jobReopenClosed jobUpdateDate jobUpdateDescription jobUpdateName jobUpdateOwner "
    "jobUpdatePriority jobUpdateStatus jobUpdateNotes AOIOverideOverlap jobUpdateDependencies jobUpdateParentJob "
    "jobUpdateAOI jobClose jobUpdateExtendedProperties jobUpdateVersions pathAssignAny workflowSetStepCurrent "
    "jobheldUpdateProperties jobheldAddComments jobheldAddAttachments jobUpdateLocation jobDelete jobUpgrade "
    "jobDeleteMap"
)
ROLES = {
    "Workflow Administrator": set(ALL.split())
    | VIEWS
    | {
        "viewManagePage",
        "viewWorkPage",
        "viewCreatePanel",
        "viewCustomSearch",
        "viewDetailsPanelDiagram",
        "viewDetailsPanelHistory",
        "viewDetailsPanelHolds",
    },
    "Workflow Designer": set(ALL.split()) - {"adminAdvanced", "jobForceStop"} | {"adminBasic"},
    "Manage Jobs - Basic": VIEWS
    | set(
        "jobAssignGroup jobUpdateHolds jobUpdateAttachments jobUpdateNotes queryUpdate jobAssignIndividual "
        "viewWorkPage viewCreatePanel viewCustomSearch".split()
    ),
    "Manage Jobs - Advanced": VIEWS
    | set(
        "jobAssignAny jobCreate jobReopenClosed jobUpdateDate jobUpdateDescription jobUpdateName jobDelete "
        "jobUpdateOwner jobUpdatePriority jobUpdateStatus AOIOverideOverlap jobUpdateExtendedProperties "
        "jobUpdateLocation jobUpdateHolds jobUpdateNotes jobUpdateParentJob jobUpdateVersions viewManagePage "
        "viewWorkPage viewCreatePanel viewDetailsPanelDiagram viewDetailsPanelHistory viewDetailsPanelHolds "
        "viewCustomSearch".split()
    ),
}


@pytest.mark.parametrize("name", ROLES)
def test_a_default_role_has_the_privileges_of_the_reference(viewer: Person, name: str) -> None:
    assert set(viewer.get(f"community/roles/{name}")["privileges"]) == ROLES[name]


def test_a_new_item_has_five_roles(stranger: Person) -> None:
    assert len(stranger.get("community/roles")["roles"]) == 5


def test_percent_complete_is_in_none_of_them(admin: Person, two_steps: str) -> None:
    for role in ROLES:
        assert "jobUpdatePercentComplete" not in admin.get(f"community/roles/{role}")["privileges"]
    admin.refused(f"jobs/{admin.job(two_steps)}/update", {"percentComplete": 50})


def test_the_first_group_administers_the_item(admin: Person) -> None:
    (group,) = admin.get(f"community/users/{ADMIN}")["groups"]
    assert admin.get(f"community/groups/{group}")["roles"] == ["Workflow Administrator"]
    named = {each["id"]: each["name"] for each in admin.get("community/groups")["groups"]}
    assert named[group].startswith("Workflow Manager Admin ")


def test_admin_advanced_includes_admin_basic(hire: Hire) -> None:
    person = hire("adminAdvanced")
    person.diagram(fresh("Designed"), [{"id": "a"}])
    assert person.get("tableDefinitions")


@pytest.mark.parametrize("path", ["settings", "community/roles/x", "community/groups/viewer"])
def test_admin_basic_does_not_include_admin_advanced(designer: Person, path: str) -> None:
    body = {"settings": [{"propName": "x", "value": "1"}], "privileges": []}
    assert designer.refused(path, body)["type"] == "PermissionDenied"


@pytest.mark.parametrize("name", [DESIGNER, ADVANCED, BASIC, VIEWER])
def test_reading_and_commenting_need_only_a_role(client: object, admin: Person, two_steps: str, name: str) -> None:
    person, job_id = Person(admin.client, name), admin.job(two_steps)
    for path in ("", "/comments", "/history", "/attachments", "/diagram", "/location"):
        person.get(f"jobs/{job_id}{path}")
    for path in ("diagrams", "jobTemplates", "lookups/status", "templates/email", "searches", "community/users"):
        person.get(path)
    person.post("jobs/search", {"q": "closed=0"})
    person.post(f"jobs/{job_id}/comments", {"comment": "seen"})


def test_an_unknown_privilege_is_refused(admin: Person) -> None:
    refused = admin.refused("community/roles/Wrong", {"privileges": ["jobCreate", "jobDance"]})
    assert "jobDance" in " ".join([refused["message"], *refused["details"]])
