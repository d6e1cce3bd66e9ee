"""rest.md 5.5: the members that are sent change, each by its own privilege."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.people import ADVANCED, BASIC, Person, fresh
from tests.conformance.tables import property_of, table


@pytest.fixture(scope="module")
def with_tables(client: Any) -> str:
    """A template with the tables ``site`` (one row: area) and ``visits`` (many rows: who)."""
    tables = [
        table("site", property_of("area", "Integer")),
        table("visits", property_of("who"), relationshipType="OneToMany"),
    ]
    return Person(client).made([{"id": "one", "name": "One"}], extendedPropertyTableDefinitions=tables)


CHANGES: dict[str, tuple[str, Any, str]] = {
    "jobName": ("jobUpdateName", "Renamed", "jobName"),
    "startDate": ("jobUpdateDate", "2026-02-01T00:00:00Z", "startDate"),
    "dueDate": ("jobUpdateDate", "2032-02-01T00:00:00Z", "dueDate"),
    "priority": ("jobUpdatePriority", "High", "priority"),
    "description": ("jobUpdateDescription", "Changed", "description"),
    "ownedBy": ("jobUpdateOwner", ADVANCED, "ownedBy"),
    "percentComplete": ("jobUpdatePercentComplete", 30, "percentComplete"),
    "jobStatus": ("jobUpdateStatus", "Pending", "jobStatus"),
    "notes": ("jobUpdateNotes", "Changed", "notes"),
    "versions": ("jobUpdateVersions", [{"dataSourceName": "Roads", "versionName": "mine"}], "activeVersions"),
    "extendedProperties": (
        "jobUpdateExtendedProperties",
        [{"identifier": "site.area", "value": "4"}],
        "extendedProperties",
    ),
    "relatedProperties": (
        "jobUpdateExtendedProperties",
        {"adds": [{"tableName": "visits", "entries": [{"properties": [{"propertyName": "who", "value": "Ann"}]}]}]},
        "relatedProperties",
    ),
}
"""Member: its privilege, a value, and the member of the job that shows it. ``parentJob`` has a test of its own."""


def test_update_job_answers_success_and_changes_what_was_sent_and_nothing_else(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps, notes="before", description="stays")
    before = admin.read(job_id)
    assert admin.post(f"jobs/{job_id}/update", {"notes": "after"}) == {"success": True}
    assert admin.read(job_id) == before | {"notes": "after"}


@pytest.mark.parametrize("member", CHANGES)
def test_a_member_changes_with_its_privilege_and_not_without(
    admin: Person, hire: Callable[..., Person], with_tables: str, member: str
) -> None:
    privilege, value, shown = CHANGES[member]
    may, may_not = hire(privilege), hire(*({each for each, _, _ in CHANGES.values()} - {privilege}))
    for person, outcome in ((may_not, 400), (may, 200)):
        job_id = admin.job(with_tables, ownedBy=person.username)
        before = admin.read(job_id)
        assert person.call("POST", f"jobs/{job_id}/update", json={member: value}).status_code == outcome
        changed = {name for name, now in admin.read(job_id).items() if now != before.get(name)}
        assert changed == ({shown} if outcome == 200 else set())


def test_a_parent_is_set_and_taken_away_with_its_privilege(
    admin: Person, hire: Callable[..., Person], two_steps: str
) -> None:
    person, parent = hire("jobUpdateParentJob"), admin.job(two_steps)
    job_id = admin.job(two_steps, ownedBy=person.username)
    person.post(f"jobs/{job_id}/update", {"parentJob": parent})
    assert admin.read(job_id)["parentJob"] == parent
    person.post(f"jobs/{job_id}/update", {"parentJob": ""})
    assert "parentJob" not in admin.read(job_id)
    person.refused(f"jobs/{job_id}/update", {"parentJob": "unknown"})


def test_related_rows_are_added_changed_and_deleted_by_their_ids(admin: Person, with_tables: str) -> None:
    job_id = admin.job(with_tables)

    def rows() -> dict[str, str]:
        (found,) = [each for each in admin.read(job_id)["relatedProperties"] if each["tableName"] == "visits"]
        return {row["id"]: row["properties"][0]["value"] for row in found["entries"]}

    def change(kind: str, *entries: dict[str, Any], **members: Any) -> None:
        body = {"tableName": "visits"} | ({"entries": list(entries)} if entries else {}) | members
        admin.post(f"jobs/{job_id}/update", {"relatedProperties": {kind: [body]}})

    def who(name: str) -> dict[str, Any]:
        return {"properties": [{"propertyName": "who", "value": name}]}

    change("adds", who("Ann"), who("Ben"))
    ann, ben = rows()
    assert rows() == {ann: "Ann", ben: "Ben"}
    change("updates", who("Cleo") | {"id": ann})
    change("deletes", ids=[ben])
    assert rows() == {ann: "Cleo"}
    gone = {"relatedProperties": {"deletes": [{"tableName": "visits", "ids": [ben]}]}}
    admin.refused(f"jobs/{job_id}/update", gone)


def test_an_unknown_priority_falls_back_to_low(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps, priority="High")
    admin.post(f"jobs/{job_id}/update", {"priority": "Utmost"})
    assert admin.read(job_id)["priority"] == "Low"


def test_the_whole_job_may_be_sent_back_by_who_may_change_only_what_changed(
    admin: Person, hire: Callable[..., Person], two_steps: str
) -> None:
    person = hire("jobUpdateNotes")
    job_id = admin.job(two_steps, ownedBy=person.username, percentComplete=10)
    job = person.get(f"jobs/{job_id}?holds=true")
    person.post(f"jobs/{job_id}/update", job | {"notes": "new"})
    assert admin.get(f"jobs/{job_id}?holds=true") == job | {"notes": "new"}


def test_assignment_and_closing_are_not_done_here(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    before = admin.read(job_id)
    admin.post(f"jobs/{job_id}/update", {"closed": True, "assignedTo": ADVANCED, "assignedType": "User"})
    assert admin.read(job_id) == before


def test_only_owner_assignee_and_administrator_update(
    admin: Person, hire: Callable[..., Person], two_steps: str
) -> None:
    owner, assignee, neither = hire("jobUpdateNotes"), hire("jobUpdateNotes"), hire("jobUpdateNotes")
    job_id = admin.job(two_steps, ownedBy=owner.username, assignedType="User", assignedTo=assignee.username)
    for person in (owner, assignee, admin):
        person.post(f"jobs/{job_id}/update", {"notes": person.username})
        assert admin.read(job_id)["notes"] == person.username
    neither.refused(f"jobs/{job_id}/update", {"notes": "neither"})
    assert admin.read(job_id)["notes"] == admin.username


def test_a_group_that_has_the_step_updates_too(admin: Person, basic: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps, assignedType="Group", assignedTo=BASIC)
    basic.post(f"jobs/{job_id}/update", {"notes": "ours"})
    assert admin.read(job_id)["notes"] == "ours"


def test_a_running_step_is_in_the_way_unless_it_is_named(admin: Person) -> None:
    job_id = admin.job_on({"id": "ask", "action": {"actionType": "Manual", "args": {"userPrompt": "Do"}}})
    admin.acts(job_id, "Run")
    for members in ({}, {"allowRunningStepId": "other"}):
        admin.refused(f"jobs/{job_id}/update", {"notes": "new"} | members)
    admin.post(f"jobs/{job_id}/update", {"notes": "new", "allowRunningStepId": "ask"})
    assert admin.read(job_id)["notes"] == "new"


def test_a_closed_job_does_not_change(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps, notes="before")
    admin.post("jobs/manage", {"type": "Close", "jobIds": [job_id]})
    assert admin.refused(f"jobs/{job_id}/update", {"notes": "after"})["type"] == "JobClosed"
    assert admin.read(job_id)["notes"] == "before"


def test_a_version_needs_a_source_and_a_name(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    for version in ({"versionName": "mine"}, {"dataSourceName": "Roads"}):
        admin.refused(f"jobs/{job_id}/update", {"versions": [version]})
    admin.post(
        f"jobs/{job_id}/update",
        {
            "versions": [
                {"dataReferenceId": "r", "versionGuid": "{A}", "versionName": "n", "workflowAdministered": True}
            ]
        },
    )
    (version,) = admin.read(job_id)["activeVersions"]
    assert (version["name"], version["versionId"]) == ("n", "{A}")


def test_an_update_is_told_and_in_the_history_and_a_change_of_nothing_is_not(admin: Person, two_steps: str) -> None:
    name = fresh("Told")
    job_id = admin.job(two_steps, notes="same")
    with admin.watch(job_id) as watcher:
        admin.post(f"jobs/{job_id}/update", {"notes": "same"})
        admin.post(f"jobs/{job_id}/update", {"jobName": name})
        told = watcher.next()
    assert (told["msgType"], told["message"]["jobId"]) == ("JobUpdated", job_id)
    assert admin.history(job_id).count("Updated") == 1
