"""The configuration of an item: exported as a file, imported from one (rest.md 13.3)."""

import json
import re
import zipfile
from base64 import b64decode
from io import BytesIO
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.protocol.configuration_file import MAX_UNPACKED_BYTES
from app.protocol.passphrase import PassphraseCipher
from app.services.first_start import ITEM_ID, TEMPLATE_ID
from app.services.ports import Group
from tests.api.conftest import error, ok
from tests.conformance.items import at_server, exported, imported, in_item, made, opened, packed
from tests.conformance.people import OUTSIDER, VIEWER, Person, fresh, run

FILES = [
    "info.json",
    "diagrams.json",
    "jobTemplates.json",
    "jobExtPropertyTableDefinitions.json",
    "jobExtPropertyDefinitions.json",
    "jobTemplatesToExtPropertyTableDefXref.json",
    "jobTemplateAutomatedCreation.json",
    "lookups.json",
    "roles.json",
    "roleGroups.json",
    "searches.json",
    "settings.json",
    "shareRelationships.json",
    "templates.json",
]
OTHER = {"lookups.json", "roles.json", "roleGroups.json", "searches.json", "settings.json", "templates.json"}
PASSPHRASE = "correct horse"
SECRET = "s3cret-värde"


@pytest.fixture
def item(admin: Person) -> Person:
    """The administrator, in a new item."""
    return in_item(admin, made(admin, fresh("Item")))


def id_of(person: Person) -> str:
    """The id of the item that a person speaks to."""
    return person.root.rpartition("/")[2]


@pytest.fixture
def rich(item: Person, client: TestClient) -> Person:
    """An item with something of each kind."""
    run(client, lambda tx: tx.group("crew") or tx.add_group(Group("crew", "Field Crew")))
    item.post("community/roles/Crew", {"description": "Field work", "privileges": ["jobCreate", "jobUpdateHolds"]})
    item.post("community/groups/crew", {"adds": {"roles": ["Crew", "View Jobs"]}})
    item.put("lookups/colour", {"lookups": [{"lookupName": "Red", "value": 2}, {"lookupName": "Blue", "value": 1}]})
    settings = [{"propName": "site", "value": "North"}, {"propName": "smtpPassword", "value": SECRET}]
    item.post("settings", {"settings": settings})
    mail = {"to": ["a@example.org"], "subject": "'S'", "body": "'B'"}
    stored = item.post("templates/email", {"templateName": "Mail", "templateDetails": json.dumps(mail)})["templateId"]
    item.post("templates/own", {"templateName": "Own", "templateDetails": "any <text>"})
    steps: list[dict[str, Any]] = [
        {"id": "a", "name": "A", "paths": [{"nextStep": "b", "assignedType": "Group", "assignedTo": "crew"}]},
        {"id": "b", "name": "B", "notInTheReference": {"kept": [1, 2.5, None]}, "paths": []},
    ]
    diagram = item.diagram("Rich", steps, description="With steps", annotations=[{"text": "ä", "position": "1,2,3,4"}])
    draft = {"diagramName": "Rich", "steps": steps[1:], "active": False, "displayGrid": False}
    item.post(f"diagrams/{diagram}", {"diagram": draft, "deleteDraft": False})
    table = {
        "tableName": "site",
        "tableAlias": "Site",
        "tableOrder": 1,
        "relationshipType": "OneToMany",
        "featureServiceProperties": {"url": "https://example.org", "layer": 0},
        "extendedPropertyDefinitions": [
            {
                "propertyName": "acres",
                "propertyAlias": "Acres",
                "propertyOrder": 0,
                "dataType": "Integer",
                "defaultValue": "4",
                "required": False,
                "editable": True,
                "visible": True,
                "domain": {"type": "range", "range": ["1", "9"]},
            },
            {"propertyName": "kind", "dataType": "String", "fieldLength": 20},
        ],
    }
    first = item.template(
        "First",
        diagram,
        category="Field",
        defaultJobDuration=2,
        defaultDueDate="2031-01-02T03:04:05Z",
        defaultAssignedType="Group",
        defaultAssignedTo="crew",
        activities=[{"typeName": "CloseJob", "actionName": "Email", "templateId": stored}],
        extendedPropertyTableDefinitions=[table],
        inNoReference={"kept": True},
    )
    shared = {"tableName": "site", "associateToExisting": True}
    item.template("Second", diagram, extendedPropertyTableDefinitions=[shared], state="Draft")
    schedule = json.dumps({"timeType": "DayOfWeek", "dayOfWeek": 3, "hour": 6, "maxOccurrences": 9})
    header = {"key": "x-secret", "value": SECRET.encode("ascii", "ignore").decode(), "isEnabled": True}
    webhook = json.dumps({"headerSecret": header, "username": "admin"})
    adds = [
        {"automationName": "Weekly", "automationType": "Scheduled", "enabled": True, "details": schedule},
        {"automationName": "Hook", "automationType": "Webhook", "enabled": False, "details": webhook},
    ]
    item.post(f"jobTemplates/{first}/automatedCreation", {"adds": adds})
    item.post(f"jobTemplates/{first}/shareWith", {"groupIds": ["crew"]})
    search = {"name": "Big", "definition": {"q": "site.acres > 3", "fields": ["jobName"], "own": {"kept": 1}}}
    item.post(f"searches/{item.post('searches', search)['searchId']}/shareWith", {"groupIds": ["crew"]})
    return item


def readable(file: bytes, passphrase: str | None = None) -> dict[str, Any]:
    """The files, with secrets opened and without what is random."""
    files = opened(file)
    encryption = files["info.json"].pop("encryption", None)
    for row in files.get("settings.json", []):
        if row.get("encrypted") and row.get("value") is not None and passphrase is not None:
            cipher = PassphraseCipher.of(passphrase, b64decode(encryption["salt"]))
            row["value"] = cipher.open(row["prop_name"], row["value"])
    for row in files.get("jobTemplateAutomatedCreation.json", []):
        if row.get("secret") is not None and passphrase is not None:
            row["secret"] = PassphraseCipher.of(passphrase, b64decode(encryption["salt"])).open(
                row["automation_id"], row["secret"]
            )
    return files


# ---------------------------------------------------------------- export


def test_an_export_is_a_file_to_save(admin: Person) -> None:
    answer = at_server(admin, "POST", f"{ITEM_ID}/export", json={"includeOtherConfiguration": True})
    assert answer.status_code == 200
    assert re.fullmatch(r'attachment; filename="workflow_configuration\w*\.wmc"', answer.headers["content-disposition"])
    assert "json" not in answer.headers["content-type"]
    assert "text" not in answer.headers["content-type"]
    assert zipfile.is_zipfile(BytesIO(answer.content))


def test_the_zip_holds_the_files_of_the_reference(admin: Person) -> None:
    files = opened(exported(admin, ITEM_ID))
    assert list(files) == FILES
    assert files["info.json"] == {"schemaVersion": "24.2.0.1"}


def test_members_are_snake_case_and_nested_objects_are_text(rich: Person) -> None:
    files = opened(exported(rich, id_of(rich)))
    for name in FILES[1:]:
        assert files[name], f"{name} is empty"
        for row in files[name]:
            for member, value in row.items():
                assert re.fullmatch(r"[a-z]+(_[a-z]+)*", member), (name, member)
                assert not isinstance(value, dict | list | bool), (name, member)
    diagram = next(row for row in files["diagrams.json"] if row["diagram_name"] == "Rich")
    assert (diagram["diagram_version"], diagram["description"]) == (1, "With steps")
    assert [step["name"] for step in json.loads(diagram["diagram_details"])["steps"]] == ["A", "B"]
    role = next(row for row in files["roles.json"] if row["role_name"] == "Crew")
    assert json.loads(role["workflow_privileges"]) == ["jobCreate", "jobUpdateHolds"]
    assert {"lookup_type": "priority", "lookup_name": "High", "value": 10} in files["lookups.json"]
    first = next(row for row in files["jobTemplates.json"] if row["job_template_name"] == "First")
    assert (first["default_priority_rank"], first["default_job_duration"]) == (0, 2)
    assert json.loads(first["activities"])[0]["typeName"] == "CloseJob"
    (table,) = files["jobExtPropertyTableDefinitions.json"]
    assert {row["table_id"] for row in files["jobExtPropertyDefinitions.json"]} == {table["table_id"]}
    assert len(files["jobTemplatesToExtPropertyTableDefXref.json"]) == 2
    assert {row["role_name"] for row in files["roleGroups.json"]} == {"Crew", "View Jobs"}


def test_other_configuration_is_left_out_where_it_is_not_wanted(rich: Person) -> None:
    files = opened(exported(rich, id_of(rich), includeOtherConfiguration=False))
    assert set(files) == set(FILES) - OTHER
    assert [row["resource_type"] for row in files["shareRelationships.json"]] == ["JobTemplate"]


def test_templates_and_diagrams_are_all_some_or_none(rich: Person) -> None:
    templates = {row["jobTemplateName"]: row for row in rich.get("jobTemplates")["jobTemplates"]}
    first = templates["First"]
    one = opened(exported(rich, id_of(rich), jobTemplateIds=[first["jobTemplateId"]], diagramIds=[first["diagramId"]]))
    assert [row["job_template_name"] for row in one["jobTemplates.json"]] == ["First"]
    assert {row["diagram_name"] for row in one["diagrams.json"]} == {"Rich"}
    none = opened(exported(rich, id_of(rich), jobTemplateIds=[], diagramIds=[]))
    assert (none["jobTemplates.json"], none["diagrams.json"]) == ([], [])
    assert (none["jobExtPropertyTableDefinitions.json"], none["jobExtPropertyDefinitions.json"]) == ([], [])
    diagrams = opened(exported(rich, id_of(rich), jobTemplateIds=[]))
    assert len({row["diagram_id"] for row in diagrams["diagrams.json"]}) == 3


def test_a_template_needs_its_diagram(admin: Person) -> None:
    refused = error(at_server(admin, "POST", f"{ITEM_ID}/export", json={"diagramIds": []}))
    assert "needs the diagram" in refused["message"]
    unknown = error(at_server(admin, "POST", f"{ITEM_ID}/export", json={"jobTemplateIds": ["x"]}))
    assert "jobTemplateIds" in unknown["message"]
    assert unknown["details"] == ["x"]


def test_secrets_go_along_with_a_passphrase_only(rich: Person) -> None:
    rows = {row["prop_name"]: row for row in opened(exported(rich, id_of(rich)))["settings.json"]}
    assert rows["smtpPassword"] == {"prop_name": "smtpPassword", "encrypted": 1}
    assert rows["site"] == {"prop_name": "site", "value": "North"}
    file = exported(rich, id_of(rich), passphrase=PASSPHRASE)
    assert SECRET.encode() not in file
    assert SECRET not in json.dumps(opened(file), ensure_ascii=False)
    assert {"prop_name": "smtpPassword", "value": SECRET, "encrypted": 1} in readable(file, PASSPHRASE)["settings.json"]
    assert PASSPHRASE not in json.dumps(opened(file))


def test_an_empty_passphrase_is_none(admin: Person) -> None:
    assert "1 to 1,000" in error(at_server(admin, "POST", f"{ITEM_ID}/export", json={"passphrase": ""}))["message"]


@pytest.mark.parametrize("path", ["export", "import"])
def test_configurations_are_for_admin_advanced(
    client: TestClient, admin: Person, designer: Person, stranger: Person, path: str
) -> None:
    file = exported(admin, ITEM_ID)
    options: dict[str, Any] = {"json": {}} if path == "export" else {"files": {"file": ("a.wmc", file)}}
    for person in (designer, Person(client, VIEWER)):
        assert error(at_server(person, "POST", f"{ITEM_ID}/{path}", **options))["type"] == "PermissionDenied"
    for person in (stranger, Person(client, OUTSIDER)):
        error(at_server(person, "POST", f"{ITEM_ID}/{path}", **options), 403)
    error(at_server(admin, "POST", f"{ITEM_ID}/{path}", headers={}, **options), 401)
    error(at_server(admin, "POST", f"{'a' * 32}/{path}", **options), 404)


# ---------------------------------------------------------------- import


def test_what_was_exported_and_imported_is_exported_the_same(rich: Person, admin: Person) -> None:
    file = exported(rich, id_of(rich), passphrase=PASSPHRASE)
    other = in_item(admin, made(admin, fresh("Item")))
    assert ok(imported(admin, id_of(other), file, passphrase=PASSPHRASE)) == {"success": True}
    again = exported(other, id_of(other), passphrase=PASSPHRASE)
    assert readable(again, PASSPHRASE) == readable(file, PASSPHRASE)
    job = other.job(
        next(t["jobTemplateId"] for t in other.get("jobTemplates")["jobTemplates"] if t["state"] == "Active")
    )
    assert other.current(job)


def test_a_merge_leaves_what_the_file_does_not_have(rich: Person, admin: Person) -> None:
    other = in_item(admin, made(admin, fresh("Item")))
    own = other.template("Own template", other.diagram("Own", [{"id": "a"}]))
    other.put("lookups/colour", {"lookups": [{"lookupName": "Green", "value": 3}, {"lookupName": "Red", "value": 9}]})
    other.post("settings", {"settings": [{"propName": "own", "value": "1"}]})
    job_id = other.job(TEMPLATE_ID)
    file = exported(rich, id_of(rich))
    ok(imported(admin, id_of(other), file, overwriteConfiguration="False"))
    names = {row["jobTemplateName"] for row in other.get("jobTemplates")["jobTemplates"]}
    assert names >= {"Own template", "First", "Second"}
    assert other.get(f"jobTemplates/{own}")["jobTemplateName"] == "Own template"
    colours = {row["lookupName"]: row["value"] for row in other.get("lookups/colour")["lookups"]}
    assert colours == {"Green": 3, "Red": 2, "Blue": 1}
    assert {row["propName"] for row in other.get("settings")["settings"]} >= {"own", "site"}
    assert other.current(job_id), "jobs go on"


def test_a_merge_gives_a_diagram_a_new_version_where_it_differs(admin: Person, item: Person) -> None:
    diagram = item.diagram("One", [{"id": "a"}])
    file = exported(item, id_of(item))
    ok(imported(admin, id_of(item), file, overwriteConfiguration="False"))
    assert item.get(f"diagrams/{diagram}")["diagramVersion"] == 1, "it is as it was"
    body = {"diagramName": "One", "displayGrid": True, "active": True, "steps": [{"id": "b"}]}
    item.post(f"diagrams/{diagram}", {"diagram": body})
    ok(imported(admin, id_of(item), file, overwriteConfiguration="False"))
    now = item.get(f"diagrams/{diagram}")
    assert (now["diagramVersion"], now["steps"][0]["id"]) == (3, "a")


def test_an_item_with_jobs_is_not_replaced(admin: Person, item: Person) -> None:
    file = exported(item, id_of(item))
    ok(imported(admin, id_of(item), file))
    item.job(TEMPLATE_ID)
    before = readable(exported(item, id_of(item)))
    for fields in ({}, {"overwriteConfiguration": "True"}):
        assert error(imported(admin, id_of(item), file, **fields))["type"] == "ItemHasJobs"
    assert readable(exported(item, id_of(item))) == before
    ok(imported(admin, id_of(item), file, overwriteConfiguration="false"))


def test_what_the_file_does_not_have_is_gone_after_an_overwrite(admin: Person, item: Person) -> None:
    file = exported(item, id_of(item))
    item.put("lookups/colour", {"lookups": [{"lookupName": "Red", "value": 2}]})
    item.post("community/roles/Mine", {"privileges": []})
    item.post("settings", {"settings": [{"propName": "own", "value": "1"}]})
    item.post("templates/own", {"templateName": "Own", "templateDetails": "x"})
    item.template("Mine", item.diagram("Mine", [{"id": "a"}]))
    item.post("searches", {"name": "Mine", "definition": {"q": "closed=0"}})
    ok(imported(admin, id_of(item), file))
    assert readable(exported(item, id_of(item))) == readable(file)


def test_parts_that_are_not_in_the_file_stay(admin: Person, item: Person) -> None:
    item.post("settings", {"settings": [{"propName": "own", "value": "1"}]})
    before = opened(exported(item, id_of(item)))
    part = {"info.json": before["info.json"], "lookups.json": before["lookups.json"]}
    ok(imported(admin, id_of(item), packed(part)))
    assert opened(exported(item, id_of(item))) == before


def test_secrets_without_the_passphrase_are_left_as_they_are(rich: Person, admin: Person) -> None:
    file = exported(rich, id_of(rich), passphrase=PASSPHRASE)
    other = in_item(admin, made(admin, fresh("Item")))
    ok(imported(admin, id_of(other), file))
    assert all(row["prop_name"] != "smtpPassword" for row in opened(exported(other, id_of(other)))["settings.json"])
    ok(imported(admin, id_of(rich), file))
    assert SECRET in json.dumps(readable(exported(rich, id_of(rich), passphrase="other"), "other"), ensure_ascii=False)


def test_a_webhook_without_its_secret_keeps_it_or_is_left_out(rich: Person, admin: Person) -> None:
    file = exported(rich, id_of(rich))
    ok(imported(admin, id_of(rich), file))
    again = readable(exported(rich, id_of(rich), passphrase=PASSPHRASE), PASSPHRASE)
    hook = again["jobTemplateAutomatedCreation.json"][1]
    assert (hook["automation_name"], hook["enabled"], hook["secret"]) == ("Hook", 0, "s3cret-vrde")
    other = in_item(admin, made(admin, fresh("Item")))
    ok(imported(admin, id_of(other), file))
    rows = opened(exported(other, id_of(other)))["jobTemplateAutomatedCreation.json"]
    assert [row["automation_name"] for row in rows] == ["Weekly"]
    assert "'Hook'" in ok(at_server(admin, "GET", f"{id_of(other)}/logs"))["logs"][0]["message"]


def test_a_wrong_passphrase_imports_nothing(rich: Person, admin: Person) -> None:
    file = exported(rich, id_of(rich), passphrase=PASSPHRASE)
    other = in_item(admin, made(admin, fresh("Item")))
    before = opened(exported(other, id_of(other)))
    refused = error(imported(admin, id_of(other), file, passphrase="wrong"))
    assert refused["type"] == "WrongPassphrase"
    assert opened(exported(other, id_of(other))) == before


def test_groups_are_found_by_id_by_name_and_by_the_mapping(admin: Person, rich: Person, client: TestClient) -> None:
    files = opened(exported(rich, id_of(rich)))
    rows = [{"role_name": "Crew", "group_id": "elsewhere", "group_name": name} for name in ("Field Crew", "Nobody's")]
    files["roleGroups.json"] = rows
    other = in_item(admin, made(admin, fresh("Item")))
    ok(imported(admin, id_of(other), packed(files)))
    assert other.get("community/groups/crew")["roles"] == ["Crew"], "by its name"
    other = in_item(admin, made(admin, fresh("Item")))
    name = fresh("group")
    run(client, lambda tx: tx.add_group(Group(name, name)))
    mapping = {"groups": [{"groupId": "elsewhere", "newGroupId": name}, {"groupId": "crew", "newGroupId": name}]}
    hook = files["jobTemplateAutomatedCreation.json"][1]
    hook["details"] = json.dumps({"username": "ghost"})
    assert "'ghost'" in error(imported(admin, id_of(other), packed(files)))["message"]
    mapping["users"] = [{"username": "ghost", "newUsername": "admin"}]
    ok(imported(admin, id_of(other), packed(files), mappingFile=json.dumps(mapping).encode()))
    assert other.get(f"community/groups/{name}")["roles"] == ["Crew"]
    first = next(t for t in other.get("jobTemplates")["jobTemplates"] if t["jobTemplateName"] == "First")
    assert other.get(f"jobTemplates/{first['jobTemplateId']}")["defaultAssignedTo"] == name
    diagram = other.get(f"diagrams/{first['diagramId']}")
    assert diagram["steps"][0]["paths"][0]["assignedTo"] == name
    rows = opened(exported(other, id_of(other)))["jobTemplateAutomatedCreation.json"]
    assert json.loads(rows[1]["details"])["username"] == "admin"


def test_what_nobody_is_left_to_share_is_for_administrators(admin: Person, rich: Person) -> None:
    files = opened(exported(rich, id_of(rich)))
    for row in files["shareRelationships.json"]:
        row |= {"group_id": "gone", "group_name": "Gone"}
    other = in_item(admin, made(admin, fresh("Item")))
    ok(imported(admin, id_of(other), packed(files)))
    first = next(t for t in other.get("jobTemplates")["jobTemplates"] if t["jobTemplateName"] == "First")
    own = next(g for g in other.get("community/groups")["groups"] if g["name"].startswith("Workflow Manager Admin"))
    assert other.get(f"jobTemplates/{first['jobTemplateId']}/shareWith")["groupIds"] == [own["id"]]


def test_nobody_is_shut_out_by_an_import(admin: Person, item: Person) -> None:
    files = opened(exported(item, id_of(item)))
    files["roles.json"] = [row for row in files["roles.json"] if row["role_name"] != "Workflow Administrator"]
    assert error(imported(admin, id_of(item), packed(files)))["type"] == "LastAdministrator"
    assert item.get("settings")


def test_a_file_as_the_reference_has_it_is_taken(admin: Person, item: Person) -> None:
    """Rows with the members that are attested, and nothing of ours: ranks, numbers, members that are not known."""
    details = {"initialStepId": "a", "initialStepName": "A", "steps": [{"id": "a", "name": "A", "paths": []}]}
    template: dict[str, Any] = {
        "job_template_id": "Gk9IjgBWQdGCFlRMf6fplw",
        "job_template_name": "Requests",
        "default_job_duration": 1,
        "default_assigned_to": "jobCreator($job)",
        "job_start_date_type": "CreationDate",
        "diagram_id": "sqVI1V4vQ1K9hBDheI1i0Q",
        "default_priority_rank": 10,
        "default_assigned_type": "User",
        "state": "Active",
        "default_job_name": "Request [index]",
        "default_final_status": "Closed",
        "default_status": "Ready",
        "activities": "[]",
    }
    table = {
        "table_id": "xMkNNrbMTga4mrWnoREGWA",
        "table_name": "requests",
        "table_alias": "Requests",
        "table_order": -1,
        "relationship_type": 1,
        "item_id": "7a69f67e4c6744918fbea49b8241640e",
        "item_type": "SurveyForm",
        "secure": 1,
    }
    given = {
        "table_id": table["table_id"],
        "property_name": "reqid",
        "property_alias": "Request ID",
        "property_order": 0,
        "data_type": -1,
        "required": 0,
        "editable": 0,
        "visible": 1,
    }
    files = {
        "info.json": {"schemaVersion": "11.2.0.1"},
        "diagrams.json": [
            {
                "diagram_id": "sqVI1V4vQ1K9hBDheI1i0Q",
                "diagram_version": 9,
                "diagram_name": "Requests",
                "diagram_details": json.dumps(details),
            }
        ],
        "jobTemplates.json": [template],
        "jobTemplateAutomatedCreation.json": [],
        "jobExtPropertyTableDefinitions.json": [table],
        "jobExtPropertyDefinitions.json": [given],
        "jobTemplatesToExtPropertyTableDefXref.json": [
            {"table_id": table["table_id"], "table_order": 0, "job_template_id": template["job_template_id"]}
        ],
        "lookups.json": [{"lookup_type": "priority", "lookup_name": "High", "value": 10}],
    }
    ok(imported(admin, id_of(item), packed(files)))
    read = item.get(f"jobTemplates/{template['job_template_id']}")
    assert (read["defaultPriorityName"], read["defaultJobDuration"], read["diagramName"]) == ("High", 1, "Requests")
    assert read["extendedPropertyTableDefinitions"][0]["extendedPropertyDefinitions"][0]["visible"] is True
    assert item.get("diagrams/sqVI1V4vQ1K9hBDheI1i0Q")["diagramVersion"] == 9
    assert item.job(template["job_template_id"])


def changed(files: dict[str, Any], name: str, number: int, **members: Any) -> bytes:
    """The configuration with other members in one row."""
    files[name][number] |= members
    return packed(files)


@pytest.mark.parametrize(
    ("name", "members", "told"),
    [
        ("diagrams.json", {"diagram_details": "{"}, ("diagrams.json, entry 1", "diagram_details")),
        ("diagrams.json", {"diagram_details": '{"steps": []}'}, ("diagrams.json, entry 1", "Introduction")),
        ("diagrams.json", {"diagram_version": 0}, ("diagrams.json, entry 1", "diagram_version")),
        ("diagrams.json", {"diagram_name": 7}, ("diagrams.json", "$[0].diagram_name")),
        ("diagrams.json", {"diagram_id": "a/b"}, ("diagrams.json, entry 1", "diagram_id")),
        ("jobTemplates.json", {"state": "Odd"}, ("jobTemplates.json, entry 1", "state")),
        ("jobTemplates.json", {"diagram_id": "gone"}, ("jobTemplates.json, entry 1", "gone")),
        ("jobTemplates.json", {"activities": "x"}, ("jobTemplates.json, entry 1", "activities")),
        ("lookups.json", {"value": "x"}, ("lookups.json", "$[0].value")),
        ("roles.json", {"workflow_privileges": '["flyAway"]'}, ("roles.json, entry 1", "flyAway")),
        ("searches.json", {"definition": '{"q": "(("}'}, ("searches.json, entry 1", "definition")),
        ("searches.json", {"search_name": ""}, ("searches.json, entry 1", "name")),
    ],
)
def test_what_is_wrong_is_told_by_file_entry_and_member(
    admin: Person, item: Person, name: str, members: dict[str, Any], told: tuple[str, ...]
) -> None:
    file = exported(item, id_of(item))
    refused = error(imported(admin, id_of(item), changed(opened(file), name, 0, **members)))
    for words in told:
        assert words in refused["message"]
    assert readable(exported(item, id_of(item))) == readable(file), "nothing of it was imported"


def zipped(*entries: tuple[str, bytes]) -> bytes:
    data = BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return data.getvalue()


INFO = ("info.json", b'{"schemaVersion": "24.2.0.1"}')


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (b"", "zip"),
        (b"PK\x03\x04 not one", "zip"),
        (zipped(INFO)[:-10], "zip"),
        (zipped(("lookups.json", b"[]")), "info.json"),
        (zipped(("info.json", b"{}")), "schemaVersion"),
        (zipped(INFO, ("lookups.json", b"{}")), "lookups.json"),
        (zipped(INFO, ("lookups.json", b"null")), "lookups.json"),
        (zipped(INFO, ("lookups.json", b"\xff[]")), "lookups.json"),
        (zipped(INFO, ("lookups.json", b"[" * 100_000)), "lookups.json"),
        (zipped(INFO, ("../lookups.json", b"[]")), "folder"),
        (zipped(INFO, ("a/lookups.json", b"[]")), "folder"),
        (zipped(INFO, ("C:\\lookups.json", b"[]")), "folder"),
        (zipped(INFO, ("/etc/passwd", b"[]")), "folder"),
        (zipped(INFO, *((f"{n}.json", b"[]") for n in range(70))), "files"),
        (zipped(INFO, ("lookups.json", b" " * (MAX_UNPACKED_BYTES + 1))), "bytes"),
        (zipped(INFO, ("other.json", b"0" * MAX_UNPACKED_BYTES), ("lookups.json", b" " * 100)), "bytes"),
    ],
    ids=range(16),
)
def test_files_that_are_no_configuration_are_refused(admin: Person, item: Person, file: bytes, told: str) -> None:
    before = opened(exported(item, id_of(item)))
    assert told in error(imported(admin, id_of(item), file))["message"]
    assert opened(exported(item, id_of(item))) == before


def test_the_form_is_checked(admin: Person) -> None:
    assert "no file" in error(at_server(admin, "POST", f"{ITEM_ID}/import", files={"other": ("a", b"b")}))["message"]
    file = exported(admin, ITEM_ID)
    assert "overwriteConfiguration" in error(imported(admin, ITEM_ID, file, overwriteConfiguration="maybe"))["message"]
    assert "mappingFile" in error(imported(admin, ITEM_ID, file, mappingFile=b"[]"))["message"]
    assert "multipart/form-data" in error(at_server(admin, "POST", f"{ITEM_ID}/import", json={}))["message"]


def test_an_import_is_carried_out_once_for_each_key(admin: Person, item: Person) -> None:
    file, other = exported(item, id_of(item)), exported(item, id_of(item), includeOtherConfiguration=False)
    headers = {"Authorization": f"Bearer {admin.token()}", "Idempotency-Key": fresh("key")}

    def send(sent: bytes) -> Any:
        files = {"file": ("a.wmc", sent)}
        return at_server(admin, "POST", f"{id_of(item)}/import", files=files, headers=headers)

    ok(send(file))
    item.job(TEMPLATE_ID)
    again = send(file)
    assert ok(again) == {"success": True}
    assert again.headers["idempotent-replayed"] == "true"
    assert error(send(other), 422)["type"] == "KeyReused"
