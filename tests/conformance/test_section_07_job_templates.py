"""rest.md 7 and 14.2: job templates, whom they are shared with, and their tables of extended properties."""

from typing import Any

import pytest

from tests.api.conftest import error
from tests.conformance.people import BASIC, Person, fresh
from tests.conformance.tables import property_of, table, table_name

STEPS = [{"id": "one", "name": "One"}]
APN = property_of("apn")


def body(diagram_id: str, **members: Any) -> dict[str, Any]:
    return {
        "jobTemplateName": fresh("Template"),
        "diagramId": diagram_id,
        "diagramName": "whatever",
        "defaultPriorityName": "Low",
        "state": "Active",
    } | members


@pytest.fixture
def diagram(admin: Person) -> str:
    return admin.diagram(fresh("For templates"), STEPS)


def sent_back(person: Person, template_id: str) -> dict[str, Any]:
    """A template as a client that has read it sends it back."""
    return dict(person.get(f"jobTemplates/{template_id}"))


def tables(person: Person, template_id: str) -> list[str]:
    found = sent_back(person, template_id).get("extendedPropertyTableDefinitions", [])
    return [each["tableName"] for each in found]


def test_get_job_templates_lists_them_shortly(admin: Person, diagram: str) -> None:
    sent = body(diagram, category="Roads", description="d")
    template = admin.post("jobTemplates", sent)["jobTemplateId"]
    (found,) = [each for each in admin.get("jobTemplates")["jobTemplates"] if each["jobTemplateId"] == template]
    assert {"jobTemplateId", "jobTemplateName", "diagramId", "diagramName", "state"} <= set(found)
    assert (found["category"], found["description"], found["state"]) == ("Roads", "d", "Active")


def test_create_job_template_answers_with_its_id_and_no_success(designer: Person, diagram: str) -> None:
    assert set(designer.post("jobTemplates", body(diagram))) == {"jobTemplateId"}


def test_get_job_template_gives_what_was_sent(admin: Person, diagram: str) -> None:
    sent = body(
        diagram,
        defaultJobName="J [index]",
        defaultAssignedType="User",
        defaultAssignedTo="JobCreator($job)",
        defaultStatus="Ready",
        defaultFinalStatus="Closed",
        jobStartDateType="CreationDate",
        defaultJobDuration=3,
        activities=[{"typeName": "CloseJob", "actionName": "Email", "templateId": "t"}],
        extendedPropertyTableDefinitions=[table(table_name("t"))],
        ownMember={"kept": True},
    )
    template = admin.post("jobTemplates", sent)["jobTemplateId"]
    found = admin.get(f"jobTemplates/{template}")
    name = admin.get(f"diagrams/{diagram}")["diagramName"]
    wanted = sent | {"jobTemplateId": template, "lastUpdatedBy": "admin", "diagramName": name}
    assert {name: found[name] for name in wanted} == wanted
    assert admin.not_found("jobTemplates/unknown")["type"] == "JobTemplateNotFound"


def test_update_job_template_answers_success_and_leaves_what_is_null_or_missing(admin: Person, diagram: str) -> None:
    sent = body(diagram, description="stays", category="stays")
    template = admin.post("jobTemplates", sent)["jobTemplateId"]
    change = body(diagram, category=None) | {"jobTemplateName": sent["jobTemplateName"], "defaultStatus": "Ready"}
    assert admin.put(f"jobTemplates/{template}", change) == {"success": True}
    found = admin.get(f"jobTemplates/{template}")
    assert (found["description"], found["category"], found["defaultStatus"]) == ("stays", "stays", "Ready")


def test_delete_job_template_answers_success_unless_it_has_jobs(admin: Person, diagram: str) -> None:
    unused, used = (admin.post("jobTemplates", body(diagram))["jobTemplateId"] for _ in range(2))
    assert admin.delete(f"jobTemplates/{unused}") == {"success": True}
    admin.not_found(f"jobTemplates/{unused}")
    admin.job(used, assignedType="Unassigned")
    error(admin.call("DELETE", f"jobTemplates/{used}"))
    assert admin.get(f"jobTemplates/{used}")["jobTemplateId"] == used


def test_get_job_template_share_details_of_a_new_one_are_empty(admin: Person, diagram: str) -> None:
    template = admin.post("jobTemplates", body(diagram))["jobTemplateId"]
    assert admin.get(f"jobTemplates/{template}/shareWith") == {"groupIds": []}


def test_share_job_template_replaces_the_list(admin: Person, diagram: str) -> None:
    template = admin.post("jobTemplates", body(diagram))["jobTemplateId"]
    for groups in (["basic"], ["viewer", "advanced"], []):
        assert admin.post(f"jobTemplates/{template}/shareWith", {"groupIds": groups}) == {"success": True}
        assert sorted(admin.get(f"jobTemplates/{template}/shareWith")["groupIds"]) == sorted(groups)
    admin.refused(f"jobTemplates/{template}/shareWith", {"groupIds": ["nobody"]})


# ---------------------------------------------------------------- rules


@pytest.mark.parametrize("missing", ["jobTemplateName", "diagramId", "diagramName", "defaultPriorityName", "state"])
def test_five_members_are_required(admin: Person, diagram: str, missing: str) -> None:
    sent = {name: value for name, value in body(diagram).items() if name != missing}
    assert missing in admin.refused("jobTemplates", sent)["message"]


@pytest.mark.parametrize(
    "members",
    [
        {"state": "Asleep"},
        {"diagramId": "unknown"},
        {"defaultAssignedType": "User"},
        {"defaultAssignedType": "Group"},
        {"activities": [{"typeName": "Sneeze", "actionName": "Email", "templateId": "t"}]},
        {"extendedPropertyTableDefinitions": [table("twice_7", APN, APN)]},
    ],
    ids=["state", "diagram", "no user", "no group", "activity", "a name twice in a table"],
)
def test_what_cannot_be_is_refused(admin: Person, diagram: str, members: dict[str, Any]) -> None:
    admin.refused("jobTemplates", body(diagram, **members))


def test_the_name_and_an_own_id_are_taken_once(admin: Person, diagram: str) -> None:
    first = body(diagram, jobTemplateId=fresh("own-template"))
    assert admin.post("jobTemplates", first)["jobTemplateId"] == first["jobTemplateId"]
    admin.refused("jobTemplates", body(diagram, jobTemplateId=first["jobTemplateId"]))
    admin.refused("jobTemplates", body(diagram, jobTemplateName=first["jobTemplateName"]))
    other = admin.post("jobTemplates", body(diagram))["jobTemplateId"]
    taken = body(diagram, jobTemplateName=first["jobTemplateName"])
    error(admin.call("PUT", f"jobTemplates/{other}", json=taken))


def test_the_id_does_not_change_and_jobs_stay_as_they_are(admin: Person, diagram: str) -> None:
    sent = body(diagram, defaultDescription="before", defaultAssignedType="Unassigned")
    template = admin.post("jobTemplates", sent)["jobTemplateId"]
    job_id = admin.job(template)
    before = admin.read(job_id)
    error(admin.call("PUT", f"jobTemplates/{template}", json=sent | {"jobTemplateId": "another"}))
    admin.put(f"jobTemplates/{template}", sent | {"jobTemplateId": template, "defaultDescription": "after"})
    assert admin.read(job_id) == before
    assert admin.read(admin.job(template))["description"] == "after"


def test_shared_templates_are_listed_only_to_members(
    admin: Person, basic: Person, advanced: Person, diagram: str
) -> None:
    template = admin.post("jobTemplates", body(diagram))["jobTemplateId"]
    admin.post(f"jobTemplates/{template}/shareWith", {"groupIds": [BASIC]})

    def sees(person: Person) -> bool:
        return template in {each["jobTemplateId"] for each in person.get("jobTemplates")["jobTemplates"]}

    assert [sees(person) for person in (basic, advanced, admin)] == [True, False, True]


def test_tables_are_created_changed_left_alone_and_deleted(admin: Person, diagram: str) -> None:
    one, two = (table_name("table") for _ in range(2))
    template = admin.post("jobTemplates", body(diagram, extendedPropertyTableDefinitions=[table(one)]))["jobTemplateId"]
    sent = sent_back(admin, template)
    admin.put(f"jobTemplates/{template}", sent | {"extendedPropertyTableDefinitions": [table(one), table(two)]})
    assert tables(admin, template) == [one, two]
    wider = table(one, APN, property_of("more"), updateExisting=True)
    admin.put(f"jobTemplates/{template}", sent | {"extendedPropertyTableDefinitions": [wider, table(two)]})
    found = {each["tableName"]: each for each in sent_back(admin, template)["extendedPropertyTableDefinitions"]}
    assert [each["propertyName"] for each in found[one]["extendedPropertyDefinitions"]] == ["apn", "more"]
    without = {name: value for name, value in sent.items() if name != "extendedPropertyTableDefinitions"}
    admin.put(f"jobTemplates/{template}", without)
    assert tables(admin, template) == [one, two]
    admin.put(f"jobTemplates/{template}", sent | {"extendedPropertyTableDefinitions": [table(one)]})
    assert tables(admin, template) == [one]


def test_a_table_that_exists_in_the_item_is_linked_with_associate_to_existing(admin: Person, diagram: str) -> None:
    name = table_name("shared")
    admin.post("jobTemplates", body(diagram, extendedPropertyTableDefinitions=[table(name)]))
    linked = body(diagram, extendedPropertyTableDefinitions=[table(name, associateToExisting=True)])
    template = admin.post("jobTemplates", linked)["jobTemplateId"]
    assert tables(admin, template) == [name]


@pytest.mark.parametrize(
    ("data_type", "good", "bad"),
    [
        ("String", "text", None),
        ("Integer", "4", "4.5"),
        ("Double", "4.5", "four"),
        ("Boolean", "true", "maybe"),
        ("DateTime", "2025-11-17T08:00:00Z", "soon"),
        ("DateOnly", "2025-11-17", "17.11.2025"),
        ("TimeOnly", "08:30:00", "half past"),
        ("TimestampOffset", "2025-11-17T08:00:00+02:00", "soon"),
    ],
)
def test_each_type_of_property_takes_its_values_as_text(
    admin: Person, diagram: str, data_type: str, good: str, bad: str | None
) -> None:
    name = table_name("typed")
    typed = table(name, property_of("p", data_type))
    sent = body(diagram, extendedPropertyTableDefinitions=[typed], defaultAssignedType="Unassigned")
    template = admin.post("jobTemplates", sent)["jobTemplateId"]
    job_id = admin.job(template, extendedProperties=[{"identifier": f"{name}.p", "value": good}])
    (found,) = admin.read(job_id)["extendedProperties"]
    assert found["properties"][0]["propertyName"] == "p"
    assert isinstance(found["properties"][0]["value"], str)
    if bad is not None:
        wrong = {"extendedProperties": [{"identifier": f"{name}.p", "value": bad}]}
        admin.refused(f"jobTemplates/{template}/job", wrong)


@pytest.mark.parametrize(
    ("domain", "good", "bad"),
    [
        ({"type": "codedValue", "codedValues": [{"code": "1", "name": "One"}]}, "1", "One"),
        ({"type": "range", "range": ["1", "5"]}, "5", "6"),
    ],
    ids=["codes", "range"],
)
def test_a_domain_bounds_the_values(admin: Person, diagram: str, domain: dict[str, Any], good: str, bad: str) -> None:
    name = table_name("bound")
    bound = table(name, property_of("p", "Integer", domain=domain))
    sent = body(diagram, extendedPropertyTableDefinitions=[bound], defaultAssignedType="Unassigned")
    template = admin.post("jobTemplates", sent)["jobTemplateId"]
    admin.job(template, extendedProperties=[{"identifier": f"{name}.p", "value": good}])
    wrong = {"extendedProperties": [{"identifier": f"{name}.p", "value": bad}]}
    admin.refused(f"jobTemplates/{template}/job", wrong)
