from typing import Any

from app.services.first_start import TEMPLATE_ID
from app.services.ports import Tx
from tests.api.conftest import Api, error, ok

INTRODUCTION = "99o2QTePTqq-BHRHK_Aeag"


def test_a_template_is_created_and_given_back_with_all_its_members(api: Api) -> None:
    template_id = api.template("Round trip", INTRODUCTION, ours=[1], jobTemplateId="own-template", token="secret")
    assert template_id == "own-template"
    found = api.get("jobTemplates/own-template")
    assert found["ours"] == [1]
    assert "token" not in found
    assert (found["jobTemplateName"], found["state"], found["lastUpdatedBy"]) == ("Round trip", "Active", "admin")
    assert found["diagramName"] == "Introduction to Workflow Manager"
    assert found["lastUpdatedDate"].endswith("Z")


def test_creating_answers_with_the_id_alone(api: Api) -> None:
    body = {
        "jobTemplateName": "Alone",
        "diagramId": INTRODUCTION,
        "diagramName": "",
        "defaultPriorityName": "Low",
        "state": "Draft",
    }
    assert list(api.post("jobTemplates", body)) == ["jobTemplateId"]


def test_the_list_is_short(worker: Api) -> None:
    first = worker.get("jobTemplates")["jobTemplates"][0]
    assert first == {
        "jobTemplateId": TEMPLATE_ID,
        "jobTemplateName": "Introduction to Workflow Manager",
        "description": "A tour of what steps can do.",
        "category": "Introduction",
        "diagramId": INTRODUCTION,
        "diagramName": "Introduction to Workflow Manager",
        "state": "Active",
    }


def test_a_template_that_is_not_there_is_not_found(api: Api) -> None:
    assert error(api.call("GET", "jobTemplates/nowhere"), 404)["type"] == "JobTemplateNotFound"


def test_a_template_that_cannot_be_saved_is_refused(api: Api, worker: Api) -> None:
    good = {
        "jobTemplateName": "Good",
        "diagramId": INTRODUCTION,
        "diagramName": "",
        "defaultPriorityName": "Low",
        "state": "Draft",
    }
    before = api.get("jobTemplates")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"jobTemplateName": None}, "jobTemplateName"),
        ({"jobTemplateName": "Introduction to Workflow Manager"}, "another job template"),
        ({"jobTemplateId": TEMPLATE_ID}, "already"),
        ({"diagramId": "nowhere"}, "no diagram"),
        ({"state": "Asleep"}, "state"),
    ]
    for members, fault in cases:
        assert fault in api.refused("jobTemplates", good | members)["message"]
    assert worker.refused("jobTemplates", good)["type"] == "PermissionDenied"
    assert api.get("jobTemplates") == before


def test_a_job_does_not_become_overdue_through_a_clients_clock(api: Api) -> None:
    """The vendor's client sends its present time as the due date of every new template."""
    now = "2020-01-01T12:00:00.000000Z"
    dates = {"defaultDueDate": now, "defaultStartDate": now, "lastUpdatedDate": now}
    template = api.template("Not overdue", INTRODUCTION, **dates)
    assert "dueDate" not in api.get(f"jobs/{api.job(template)}")


# ---------------------------------------------------------------- changing, sharing, deleting


def table(name: str, **members: Any) -> dict[str, Any]:
    definition = {"propertyName": "acres", "dataType": "Double", "required": False}
    return {"tableName": name, "extendedPropertyDefinitions": [definition]} | members


def put(api: Api, template_id: str, **members: Any) -> Any:
    """Send the template back with other members; returns the response."""
    document = api.get(f"jobTemplates/{template_id}")
    document.pop("extendedPropertyTableDefinitions", None)
    return api.call("PUT", f"jobTemplates/{template_id}", json=document | members)


def tables_of(api: Api, template_id: str) -> dict[str, Any]:
    found = api.get(f"jobTemplates/{template_id}").get("extendedPropertyTableDefinitions", [])
    return {each["tableName"]: each for each in found}


def test_what_is_not_sent_stays_and_jobs_stay_as_they_are(api: Api) -> None:
    template_id = api.template("Before", INTRODUCTION, ours=[1], description="old", category="c")
    job_id = api.job(template_id)
    body: dict[str, Any] = {
        "jobTemplateName": "After",
        "diagramId": INTRODUCTION,
        "diagramName": "",
        "defaultPriorityName": "High",
    }
    body |= {"state": "Retired", "description": "new", "category": None}
    assert ok(api.call("PUT", f"jobTemplates/{template_id}", json=body)) == {"success": True}
    found = api.get(f"jobTemplates/{template_id}")
    assert (found["jobTemplateName"], found["description"], found["category"]) == ("After", "new", "c")
    assert (found["ours"], found["defaultAssignedType"]) == ([1], "User")
    (line,) = [each for each in api.get("jobTemplates")["jobTemplates"] if each["jobTemplateId"] == template_id]
    assert (line["jobTemplateName"], line["category"], line["description"]) == ("After", "c", "new")
    assert api.get(f"jobs/{job_id}")["jobTemplateName"] == "Before"
    assert api.refused(f"jobTemplates/{template_id}/job", {})["type"] == "JobTemplateNotActive"


def test_a_change_that_cannot_be_is_refused(api: Api, worker: Api) -> None:
    template_id = api.template("Unchanged", INTRODUCTION)
    before = api.get(f"jobTemplates/{template_id}")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"jobTemplateName": "Introduction to Workflow Manager"}, "another job template"),
        ({"jobTemplateId": "other"}, "for good"),
        ({"diagramId": "nowhere"}, "no diagram"),
        ({"state": "Asleep"}, "state"),
        ({"extendedPropertyTableDefinitions": [table("a b")]}, "letters, digits and _"),
        ({"extendedPropertyTableDefinitions": [table("a", updateExisting=True)]}, "there is no table 'a'"),
        ({"extendedPropertyTableDefinitions": [table("a", associateToExisting=True)]}, "there is no table 'a'"),
    ]
    for members, fault in cases:
        assert fault in error(put(api, template_id, **members))["message"]
    assert error(worker.call("PUT", f"jobTemplates/{template_id}", json=before))["type"] == "PermissionDenied"
    assert error(api.call("PUT", "jobTemplates/nowhere", json=before))["type"] == "JobTemplateNotFound"
    assert api.get(f"jobTemplates/{template_id}") == before


def test_tables_are_made_kept_changed_shared_and_left_out(api: Api, worker: Api) -> None:
    first = api.template("Tables one", INTRODUCTION, extendedPropertyTableDefinitions=[table("t_site"), table("t_old")])
    assert list(tables_of(api, first)) == ["t_site", "t_old"]
    other = {
        "jobTemplateName": "Tables two",
        "diagramId": INTRODUCTION,
        "diagramName": "",
        "defaultPriorityName": "Low",
        "state": "Active",
    }
    taken = api.refused("jobTemplates", other | {"extendedPropertyTableDefinitions": [table("t_site")]})
    assert "associateToExisting" in taken["message"]
    linked = [{"tableName": "t_site", "associateToExisting": True}]
    second = api.post("jobTemplates", other | {"extendedPropertyTableDefinitions": linked})["jobTemplateId"]
    assert tables_of(api, second)["t_site"] == tables_of(api, first)["t_site"] | {"isAssociated": True}
    # a body without tables leaves them alone; a table without updateExisting stays as it is
    ok(put(api, first))
    ok(put(api, first, extendedPropertyTableDefinitions=[table("t_site", tableAlias="Ignored")]))
    assert list(tables_of(api, first)) == ["t_site"]
    assert "tableAlias" not in tables_of(api, first)["t_site"]
    # a change reaches every template that has the table
    more = table("t_site", tableAlias="Site", updateExisting=True)
    more["extendedPropertyDefinitions"].append({"propertyName": "note", "dataType": "String", "fieldLength": 5})
    ok(put(api, first, extendedPropertyTableDefinitions=[more]))
    assert tables_of(api, second)["t_site"]["tableAlias"] == "Site"
    assert "updateExisting" not in tables_of(api, second)["t_site"]
    job_id = api.job(second, extendedProperties=[{"identifier": "t_site.note", "value": "12345"}])
    too_long = {"extendedProperties": [{"identifier": "t_site.note", "value": "123456"}]}
    assert "at most 5" in api.refused(f"jobs/{job_id}/update", too_long)["message"]
    # what jobs have stored keeps its meaning
    retyped = table("t_site", updateExisting=True)
    retyped["extendedPropertyDefinitions"][0]["dataType"] = "Integer"
    assert "cannot be changed" in error(put(api, first, extendedPropertyTableDefinitions=[retyped]))["message"]
    many = table("t_site", updateExisting=True, relationshipType="OneToMany")
    assert "cannot be changed" in error(put(api, first, extendedPropertyTableDefinitions=[many]))["message"]
    # the item's tables, with the templates that have them
    listed = {each["tableName"]: each for each in api.get("tableDefinitions")["tableDefinitions"]}
    assert listed["t_site"]["jobTemplates"] == [first, second]
    assert "t_old" not in listed
    assert error(worker.call("GET", "tableDefinitions"), 403)["type"] == "PermissionDenied"


def test_values_of_a_table_that_is_gone_can_be_read_and_not_set(api: Api) -> None:
    template_id = api.template("Gone table", INTRODUCTION, extendedPropertyTableDefinitions=[table("t_gone")])
    job_id = api.job(template_id, extendedProperties=[{"identifier": "t_gone.acres", "value": "2"}])
    ok(put(api, template_id, extendedPropertyTableDefinitions=[]))
    assert api.get(f"jobs/{job_id}?extProps=true")["extendedProperties"] == [
        {"tableName": "t_gone", "properties": [{"propertyName": "acres", "value": "2"}]}
    ]
    echo = {"extendedProperties": [{"identifier": "t_gone.acres", "value": "2"}], "notes": "new"}
    assert api.post(f"jobs/{job_id}/update", echo) == {"success": True}
    body = {"extendedProperties": [{"identifier": "t_gone.acres", "value": "3"}]}
    assert "no property of this name" in api.refused(f"jobs/{job_id}/update", body)["message"]


def test_a_template_without_jobs_can_be_deleted(api: Api, worker: Api) -> None:
    template_id = api.template("Deleted", INTRODUCTION)
    assert error(worker.call("DELETE", f"jobTemplates/{template_id}"))["type"] == "PermissionDenied"
    job_id = api.job(template_id)
    assert error(api.call("DELETE", f"jobTemplates/{template_id}"))["type"] == "JobTemplateInUse"
    assert api.get(f"jobTemplates/{template_id}")["state"] == "Active"
    api.post("jobs/manage", {"type": "Delete", "jobIds": [job_id]})
    assert ok(api.call("DELETE", f"jobTemplates/{template_id}")) == {"success": True}
    assert error(api.call("GET", f"jobTemplates/{template_id}"), 404)["type"] == "JobTemplateNotFound"
    assert error(api.call("DELETE", f"jobTemplates/{template_id}"))["type"] == "JobTemplateNotFound"


def test_a_shared_template_is_for_the_members_of_its_groups(api: Api, worker: Api) -> None:
    template_id = api.template("Shared", INTRODUCTION)
    share = f"jobTemplates/{template_id}/shareWith"

    def seen_by(user: Api) -> bool:
        return template_id in {each["jobTemplateId"] for each in user.get("jobTemplates")["jobTemplates"]}

    assert api.get(share) == {"groupIds": []}
    assert seen_by(worker)
    admins = api.client.portal.call(_admin_groups, api) if api.client.portal else []
    assert api.post(share, {"groupIds": [*admins, *admins]}) == {"success": True}
    assert api.get(share) == {"groupIds": admins}
    assert (seen_by(api), seen_by(worker)) == (True, False)
    assert worker.refused(f"jobTemplates/{template_id}/job", {})["type"] == "PermissionDenied"
    api.job(template_id)
    ok(put(api, template_id))
    assert api.get(share) == {"groupIds": admins}
    api.post(share, {"groupIds": ["workers"]})
    assert seen_by(worker)
    worker.job(template_id)
    api.post(share, {"groupIds": []})
    assert seen_by(worker)


async def _admin_groups(api: Api) -> list[str]:
    def groups(tx: Tx) -> list[str]:
        user = tx.user("admin")
        return list(user.groups) if user else []

    return await api.gateway.engine.store.read(groups)


def test_sharing_is_refused_without_the_privilege_and_with_unknown_groups(api: Api, worker: Api) -> None:
    template_id = api.template("Not shared", INTRODUCTION)
    share = f"jobTemplates/{template_id}/shareWith"
    assert worker.refused(share, {"groupIds": []})["type"] == "PermissionDenied"
    assert error(worker.call("GET", share), 403)["type"] == "PermissionDenied"
    assert "no group nobody" in api.refused(share, {"groupIds": ["workers", "nobody"]})["message"]
    assert api.refused("jobTemplates/nowhere/shareWith", {"groupIds": []})["type"] == "JobTemplateNotFound"
    assert error(api.call("GET", "jobTemplates/nowhere/shareWith"), 404)["type"] == "JobTemplateNotFound"
    assert "groupIds" in api.refused(share, {})["message"]
    assert api.get(share) == {"groupIds": []}
