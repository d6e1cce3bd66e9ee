"""rest.md 5.3 and 5.4: jobs are found and counted by a condition, by words, or by both."""

import json
from typing import Any

import pytest

from tests.conformance.people import ADVANCED, BASIC, VIEWER, Person, fresh

DEFAULT_FIELDS = ["jobName", "priority", "dueDate", "currentStep"]


def found(person: Person, q: str, field: str = "jobId", **members: Any) -> list[Any]:
    """The values of one field, of all jobs that match."""
    return [row[0] for row in person.post("jobs/search", {"q": q, "fields": [field]} | members)["results"]]


@pytest.fixture(scope="module")
def mark(client: Any) -> str:
    """A word that stands in the notes of three jobs (named a, b and c) and nowhere else."""
    admin, word = Person(client), fresh("mark")
    template = admin.made([{"id": "one", "name": "Survey the site", "paths": []}])
    common = {"notes": f"{word} high ground"}
    admin.job(template, jobName="a", priority="High", dueDate="2030-01-01T00:00:00Z", **common)
    admin.job(template, jobName="b", priority="Low", assignedType="Group", assignedTo=BASIC, **common)
    admin.job(
        template, jobName="c", priority="Low", assignedType="Unassigned", dueDate="2031-06-01T12:00:00Z", **common
    )
    return word


def test_search_jobs_answers_with_rows_in_the_order_of_the_fields(admin: Person, two_steps: str) -> None:
    name = fresh("Row")
    job_id = admin.job(two_steps, jobName=name)
    answer = admin.post("jobs/search", {"q": f"jobName='{name}'", "fields": ["jobId", "diagramVersion", "closed"]})
    assert answer["results"] == [[job_id, 1, False]]
    assert answer["fields"] == [
        {"name": "jobId", "fieldType": "String"},
        {"name": "diagramVersion", "fieldType": "Integer"},
        {"name": "closed", "fieldType": "Boolean"},
    ]
    assert (answer["start"], answer["num"], answer["nextStart"]) == (0, 1, -1)
    assert "job_name" in answer["q"]


def test_job_statistics_answers_with_the_total_and_with_groups_when_asked(admin: Person, mark: str) -> None:
    q = f"notes LIKE '{mark}%'"
    assert admin.post("jobs/statistics", {"q": q}) == {"total": 3}
    answer = admin.post("jobs/statistics", {"q": q, "groupBy": "priority"})
    assert (answer["total"], answer["groupBy"]) == (3, "priority")
    assert answer["groupedValues"] == [{"value": "Low", "count": 2}, {"value": "High", "count": 1}]


@pytest.mark.parametrize("fields", [None, []])
def test_without_fields_the_default_ones_are_shown(admin: Person, mark: str, fields: Any) -> None:
    answer = admin.post("jobs/search", {"q": f"notes LIKE '{mark}%'", "fields": fields})
    assert [field["name"] for field in answer["fields"]] == DEFAULT_FIELDS
    assert {field["name"]: field["fieldType"] for field in answer["fields"]}["dueDate"] == "DateTime"


def test_what_the_vendors_client_always_sends_is_taken(admin: Person, mark: str) -> None:
    body: dict[str, Any] = {
        "q": None,
        "search": mark,
        "num": 10,
        "displayNames": [],
        "start": 0,
        "sortFields": [],
        "fields": None,
    }
    assert admin.post("jobs/search", body)["num"] == 3


def test_pages_follow_one_another_until_minus_one(admin: Person, mark: str) -> None:
    start, names = 0, list[str]()
    while start != -1:
        body: dict[str, Any] = {"search": mark, "fields": ["jobName"], "num": 2, "start": start}
        answer = admin.post("jobs/search", body | {"sortFields": [{"field": "jobName", "sortOrder": "Desc"}]})
        assert answer["num"] == len(answer["results"])
        names += [row[0] for row in answer["results"]]
        start = answer["nextStart"]
    assert names == ["c", "b", "a"]


def test_no_match_is_an_empty_page(admin: Person) -> None:
    answer = admin.post("jobs/search", {"q": "jobName='nothing at all'"})
    assert (answer["results"], answer["num"], answer["nextStart"]) == ([], 0, -1)
    assert (
        admin.post("jobs/statistics", {"q": "jobName='nothing at all'", "groupBy": "priority"})["groupedValues"] == []
    )


@pytest.mark.parametrize("body", [{}, {"q": None, "search": None}, {"q": "", "search": ""}])
@pytest.mark.parametrize("path", ["jobs/search", "jobs/statistics"])
def test_either_q_or_search_must_be_there(admin: Person, path: str, body: dict[str, Any]) -> None:
    admin.refused(path, body)


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("priority='High'", "a"),
        ("priority<>'High'", "bc"),
        ("priority!='High'", "bc"),
        ("jobName IN ('a', 'c')", "ac"),
        ("jobName LIKE 'a%'", "a"),
        ("jobName NOT LIKE 'a%'", "bc"),
        ("dueDate IS NULL", "b"),
        ("dueDate IS NOT NULL", "ac"),
        ("jobName BETWEEN 'a' AND 'b'", "ab"),
        ("NOT (priority='High' OR assigned_type='Group')", "c"),
        ("dueDate > timestamp '2030-06-01 00:00:00'", "c"),
        ("dueDate < '2030-06-01T00:00:00Z'", "a"),
        ("closed=0 AND assignedType='Unassigned'", "c"),
        ("currentStep='Survey the site'", "abc"),
        ("JOB_NAME='b' ", "b"),
        (f"assignedTo='{BASIC}'", "b"),
        ("percentComplete >= 0", "abc"),
    ],
)
def test_each_form_of_a_condition_is_understood(admin: Person, mark: str, condition: str, names: str) -> None:
    q = f"notes LIKE '{mark}%' AND ({condition})"
    assert sorted(found(admin, q, "jobName")) == list(names)


def test_words_are_looked_for_everywhere_and_a_phrase_in_quotes_is_one(admin: Person, mark: str) -> None:
    for search, names in ((f"{mark} HIGH", "abc"), (f"{mark} 'high ground'", "abc"), (f"{mark} 'ground high'", "")):
        answer = admin.post("jobs/search", {"search": search, "fields": ["jobName"]})
        assert sorted(row[0] for row in answer["results"]) == list(names)


def test_q_goes_on_where_search_ends(admin: Person, mark: str) -> None:
    assert found(admin, "AND priority='High'", "jobName", search=mark) == ["a"]
    assert sorted(found(admin, "OR jobName='nothing'", "jobName", search=mark)) == ["a", "b", "c"]


def test_a_quoted_q_is_arcade_that_makes_the_condition(admin: Person, basic: Person, mark: str) -> None:
    mine = "\"assignedType='User' AND closed=0 AND assignedTo='\" + $currentUser + \"' \""
    groups = "\"assignedType='Group' AND closed=0 AND assignedTo IN (\" + userGroups($currentUser) + ')' "
    assert found(admin, mine, "jobName", num=1)
    assert "b" in found(basic, groups, "jobName")
    assert "b" not in found(admin, groups, "jobName")


def test_a_job_with_a_location_is_found_by_it(admin: Person, two_steps: str) -> None:
    name, point = fresh("Placed"), '{"points": [[1000, 1000]], "spatialReference": {"wkid": 102100}}'
    admin.job(two_steps, jobName=name)
    placed = admin.job(two_steps, jobName=name, location={"geometryType": "Multipoint", "geometry": point})
    q, near, far = f"jobName='{name}'", (0, 2000), (5000, 9000)
    assert found(admin, q, hasLocation=True) == [placed]
    for (low, high), ids in ((near, [placed]), (far, [])):
        extent = {"xmin": low, "ymin": low, "xmax": high, "ymax": high, "spatialReference": {"wkid": 102100}}
        assert found(admin, q, spatialExtent=json.dumps(extent)) == ids
        assert admin.post("jobs/statistics", {"q": q, "spatialExtent": json.dumps(extent)})["total"] == len(ids)


@pytest.mark.parametrize("name", ["priority", "job_status", "jobStatus", "assignedTo", "job_template_name"])
def test_jobs_are_grouped_by_names_in_either_spelling(admin: Person, mark: str, name: str) -> None:
    answer = admin.post("jobs/statistics", {"search": mark, "groupBy": name})
    assert answer["groupBy"] == name
    assert sum(group["count"] for group in answer["groupedValues"]) == 3


def test_those_without_a_value_are_a_group_of_their_own(admin: Person, mark: str) -> None:
    groups = admin.post("jobs/statistics", {"search": mark, "groupBy": "assignedTo"})["groupedValues"]
    assert {group.get("value"): group["count"] for group in groups} == {"admin": 1, BASIC: 1, None: 1}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("jobs/search", {"q": "colour='red'"}),
        ("jobs/search", {"q": "jobName='a' AND"}),
        ("jobs/search", {"q": "closed=0", "fields": ["colour"]}),
        ("jobs/search", {"q": "closed=0", "sortFields": [{"field": "colour"}]}),
        ("jobs/statistics", {"q": "jobName=='a"}),
        ("jobs/statistics", {"q": "closed=0", "groupBy": "colour"}),
    ],
)
def test_an_unknown_field_and_a_fault_of_grammar_are_told(admin: Person, path: str, body: dict[str, Any]) -> None:
    assert admin.refused(path, body)["message"]


def test_with_all_related_properties_there_is_a_row_for_each_related_row(admin: Person) -> None:
    """Of the tables that the fields name; a job that has none keeps its row, and pages are of jobs."""
    prop = {
        "propertyName": "day",
        "propertyAlias": "Day",
        "propertyOrder": 0,
        "dataType": "String",
        "required": False,
        "editable": True,
        "visible": True,
    }
    table = {
        "tableName": "visits_5_3",
        "tableAlias": "Visits",
        "tableOrder": 0,
        "relationshipType": "OneToMany",
        "extendedPropertyDefinitions": [prop],
    }
    template = admin.made([{"id": "one", "name": "One", "paths": []}], extendedPropertyTableDefinitions=[table])
    entries = [{"properties": [{"propertyName": "day", "value": day}]} for day in ("Monday", "Friday")]
    related = [{"tableName": "visits_5_3", "entries": entries}]
    word = fresh("visited")
    admin.job(template, jobName="a", notes=word, relatedProperties=related)
    admin.job(template, jobName="b", notes=word)
    body = {"q": f"notes='{word}'", "fields": ["jobName", "visits_5_3.day"], "num": 1}
    body |= {"sortFields": [{"field": "jobName"}]}
    assert admin.post("jobs/search", body)["results"] == [["a", None]]
    body["returnAllRelatedProperties"] = True
    first = admin.post("jobs/search", body)
    assert first["results"] == [["a", "Monday"], ["a", "Friday"]]
    assert (first["num"], first["nextStart"]) == (2, 1)
    assert admin.post("jobs/search", body | {"start": 1})["results"] == [["b", None]]
    assert admin.post("jobs/search", body | {"fields": ["jobName"]})["results"] == [["a"]]


def test_everybody_with_a_role_may_search(viewer: Person, mark: str) -> None:
    assert viewer.username == VIEWER
    assert viewer.post("jobs/statistics", {"search": mark})["total"] == 3
    assert len(found(viewer, f"notes LIKE '{mark}%' AND ownedBy <> '{ADVANCED}'")) == 3
