"""Searches and statistics over REST (rest.md 5.3, 5.4), and the searches that a new item comes with."""

from typing import Any

import pytest

from app.services.first_start import ADMIN
from tests.api.conftest import ITEM, WORKER, Api, error

AREA = '{"rings": [[[0, 0], [0, 9], [9, 9], [0, 0]]], "spatialReference": {"wkid": 102100}}'


@pytest.fixture(scope="module")
def mine(client: Any) -> str:
    """A word that only this module's jobs have in their notes; there are five of them. Lasts as long as the server:
    tests of other modules may run in between."""
    api, worker = Api(client), Api(client, WORKER)
    two = api.diagram(
        "Zebra search",
        [
            {"id": "fork", "name": "Fork", "automatic": True, "proceedNext": True,
             "paths": [{"nextStep": "left"}, {"nextStep": "right"}]},
            {"id": "left", "name": "Left side", "paths": []},
            {"id": "right", "name": "Right side", "paths": []},
        ],
    )  # fmt: skip
    tables = [{"tableName": "parcel", "extendedPropertyDefinitions": [{"propertyName": "area", "dataType": "Integer"}]}]
    template = api.template("Zebra search", two, extendedPropertyTableDefinitions=tables)
    priorities = ["Low", "High", "High", "Medium", "High"]
    for number, priority in enumerate(priorities):
        worker.job(
            template,
            jobName=f"Search {number}",
            priority=priority,
            notes="zebra crossing",
            description="O'Hara" if number == 3 else None,
            dueDate=None if number == 1 else f"2030-01-0{number + 1}T00:00:00Z",
            location={"geometryType": "Polygon", "geometry": AREA} if number == 2 else None,
            extendedProperties=[{"identifier": "parcel.area", "value": str(number * 10)}],
        )
    return "zebra"


def names(answer: dict[str, Any]) -> list[str]:
    return [row[0] for row in answer["results"]]


def search(api: Api, q: str | None = None, **members: Any) -> dict[str, Any]:
    body = {"q": q, "fields": ["jobName"], "sortFields": [{"field": "jobName", "sortOrder": "Asc"}]} | members
    found: dict[str, Any] = api.post("jobs/search", body)
    return found


def test_a_search_gives_rows_in_the_order_of_the_fields(worker: Api, mine: str) -> None:
    fields = ["jobName", "PRIORITY", "due_date", "currentStep", "closed", "diagramVersion", "parcel.area", "createdBy"]
    answer = search(worker, "jobName='Search 1' OR job_name='Search 2'", fields=fields)
    assert [field["name"] for field in answer["fields"]] == fields
    types = ["String", "String", "DateTime", "String", "Boolean", "Integer", "String", "String"]
    assert [field["fieldType"] for field in answer["fields"]] == types
    assert answer["results"] == [
        ["Search 1", "High", None, "Left side, Right side", False, 1, "10", WORKER],
        ["Search 2", "High", "2030-01-03T00:00:00Z", "Left side, Right side", False, 1, "20", WORKER],
    ]
    assert (answer["start"], answer["num"], answer["nextStart"]) == (0, 2, -1)
    assert answer["q"] == "job_name='Search 1' OR job_name='Search 2'"
    assert "success" not in answer


def test_what_the_vendors_client_sends_is_taken(worker: Api, mine: str) -> None:
    """All members are always there, null or empty (python-client.md)."""
    body: dict[str, Any] = {
        "q": "notes LIKE 'zebra%'",
        "search": None,
        "num": 10,
        "displayNames": [],
        "start": 0,
        "sortFields": [],
    }
    answer = worker.post("jobs/search", body | {"fields": None, "f": "json"})
    assert [field["name"] for field in answer["fields"]] == ["jobName", "priority", "dueDate", "currentStep"]
    assert names(answer) == [f"Search {number}" for number in range(5)]


def test_pages_follow_one_another(worker: Api, mine: str) -> None:
    sort = [{"field": "priority", "sortOrder": "Desc"}, {"field": "jobName", "sortOrder": "Asc"}]
    found, start = [], 0
    while start != -1:
        page = search(worker, search=mine, num=2, start=start, sortFields=sort)
        assert page["num"] == len(page["results"]) <= 2
        found += names(page)
        start = page["nextStart"]
    assert found == ["Search 3", "Search 0", "Search 1", "Search 2", "Search 4"]
    assert search(worker, search=mine, start=100)["nextStart"] == -1
    assert search(worker, search=mine, num=1000)["num"] == 5


def test_nulls_come_last_whatever_the_direction(worker: Api, mine: str) -> None:
    for order, first in (("Asc", "Search 0"), ("Desc", "Search 4")):
        found = names(search(worker, search=mine, sortFields=[{"field": "dueDate", "sortOrder": order}]))
        assert (found[0], found[-1]) == (first, "Search 1")


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({"search": "zebra"}, "01234"),
        ({"search": "ZEBRA crossing"}, "01234"),
        ({"search": "'zebra crossing'"}, "01234"),
        ({"search": "'crossing zebra'"}, ""),
        ({"search": "zebra o'hara"}, "3"),
        ({"search": "zebra 'left side'"}, "01234"),
        ({"search": "zebra", "q": "AND priority='High'"}, "124"),
        ({"search": "zebra", "q": "and (priority='Low' or priority='Medium') "}, "03"),
        ({"search": "'zebra giraffe'", "q": "OR jobName='Search 4'"}, "4"),
        ({"search": "zebra", "q": "priority='High'"}, "124"),
        ({"search": "zebra", "hasLocation": True}, "2"),
        ({"search": "zebra", "hasLocation": False}, "01234"),
        ({"q": "notes LIKE 'ZEBRA%' AND parcel.area >= 30"}, "34"),
        ({"q": "notes LIKE 'zebra%' AND currentStep='Left side' AND currentStepId='right'"}, ""),
        ({"q": "notes LIKE 'zebra%' AND dueDate BETWEEN '2030-01-01' AND timestamp '2030-01-03 00:00:00'"}, "02"),
        ({"q": "notes LIKE 'zebra%' AND dueDate IS NULL"}, "1"),
        ({"q": "notes LIKE 'zebra%' AND NOT priority IN ('High','Low')"}, "3"),
        ({"q": "notes LIKE 'zebra%' AND description='O''Hara'"}, "3"),
        ({"q": "notes LIKE 'zebra%' AND createdDate > CURRENT_TIMESTAMP"}, ""),
        ({"q": "\"notes LIKE 'zebra%' AND createdBy='\" + $currentUser + \"'\""}, "01234"),
        ({"q": "notes LIKE 'zebra%'", "spatialExtent": "1,1,2,2,3857"}, "2"),
        (
            {
                "q": "notes LIKE 'zebra%'",
                "spatialExtent": '{"xmin":10,"ymin":0,"xmax":20,"ymax":9,"spatialReference":{"wkid":102100}}',
            },
            "",
        ),
        ({"q": "notes LIKE 'zebra%'", "spatialExtent": '{"xmin":-1,"ymin":-1,"xmax":1,"ymax":1}'}, "2"),
    ],
)
def test_jobs_are_found(worker: Api, mine: str, members: dict[str, Any], found: str) -> None:
    assert names(search(worker, **members)) == [f"Search {number}" for number in found]


def test_the_searches_of_a_new_item_find_jobs(api: Api, worker: Api, manual: str) -> None:
    """Their conditions are Arcade: my jobs, and those of my groups."""
    own = worker.job(manual, jobName="Of the worker")
    grouped = worker.job(manual, jobName="Of the workers", assignedType="Group", assignedTo="workers")
    q = "\"assignedType='User' AND closed=0 AND assignedTo='\" + $currentUser + \"'\""
    of_group = "\"assignedType='Group' AND closed=0 AND assignedTo IN (\" + userGroups($currentUser) + ')' "
    fields = ["jobId", "assignedTo"]
    assert [own, WORKER] in search(worker, q, fields=fields, num=1000)["results"]
    assert [grouped, "Workers"] in search(worker, of_group, fields=fields, num=1000)["results"]
    assert grouped not in names(search(api, of_group, fields=fields, num=1000))
    for chart in ("job_template_name", "job_status", "priority"):
        assert api.post("jobs/statistics", {"q": "closed=0", "groupBy": chart})["groupedValues"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "q or search must say"),
        ({"q": "", "search": " "}, "q or search must say"),
        ({"q": "jobName ="}, "q, character 10: the condition ends too early; expected a value"),
        ({"q": "colour='red'"}, "q, character 1: there is no field colour; known: jobId"),
        ({"search": "x", "q": "AND colour='red'"}, "q, character 5: there is no field colour"),
        ({"q": "'closed=' + $nobody"}, "q is an Arcade expression that cannot be evaluated: Line 1, column 13"),
        ({"q": "'closed=7'"}, "closed is compared with 0 or 1"),
        ({"q": "closed=0", "fields": ["colour"]}, "fields: there is no field 'colour'"),
        ({"q": "closed=0", "sortFields": [{"field": "colour"}]}, "sortFields: there is no field 'colour'"),
        ({"q": "closed=0", "sortFields": [{"field": "jobName", "sortOrder": "Up"}]}, "sortOrder"),
        ({"q": "closed=0", "num": 0}, "num"),
        ({"q": "closed=0", "num": 10_001}, "num"),
        ({"q": "closed=0", "start": -1}, "start"),
        ({"q": "closed=0", "spatialExtent": "1,2,3"}, "spatialExtent is extent JSON"),
        ({"q": "closed=0", "spatialExtent": "3,2,1,4"}, "must not be larger"),
        ({"q": "closed=0", "spatialExtent": "1,2,3,4,2056"}, "spatialReference"),
        ({"search": " ".join(["x"] * 21)}, "up to 20 words"),
        ({"q": "(" * 40 + "closed=0" + ")" * 40}, "nested deeper than 32"),
        ({"q": " OR ".join(["closed=0"] * 201)}, "more than 200 comparisons"),
        ({"q": "closed=0" + " " * 65_536}, "the most is 65536"),
    ],
)
def test_a_search_that_cannot_be_understood_says_why(worker: Api, body: dict[str, Any], words: str) -> None:
    assert words in worker.refused("jobs/search", body)["message"]


@pytest.mark.parametrize("path", ["jobs/search", "jobs/statistics"])
def test_only_members_of_the_item_may_search(api: Api, outsider: Api, path: str) -> None:
    outsider.refused(path, {"q": "closed=0"}, 403)
    error(api.client.post(f"{ITEM}/{path}", json={"q": "closed=0"}), 401)
    elsewhere = "/workflow/" + "f" * 32
    headers = {"Authorization": f"Bearer {api.token()}"}
    error(api.client.post(f"{elsewhere}/{path}", json={"q": "closed=0"}, headers=headers), 404)


# ---------------------------------------------------------------- statistics


def test_jobs_are_counted(worker: Api, mine: str) -> None:
    assert worker.post("jobs/statistics", {"search": mine}) == {"total": 5}
    assert worker.post("jobs/statistics", {"search": mine, "q": "AND priority='High'"}) == {"total": 3}
    nothing = {"q": "jobName='no such job'", "groupBy": "priority"}
    assert worker.post("jobs/statistics", nothing) == {"total": 0, "groupBy": "priority", "groupedValues": []}


@pytest.mark.parametrize(
    ("group", "values"),
    [
        ("priority", [["High", 3], ["Low", 1], ["Medium", 1]]),
        ("job_template_name", [["Zebra search", 5]]),
        ("assignedTo", [[WORKER, 5]]),
        ("currentStep", [["Left side", 5], ["Right side", 5]]),
        ("description", [[None, 4], ["O'Hara", 1]]),
        ("closed", [["0", 5]]),
        ("hasLocation", [["0", 4], ["1", 1]]),
        ("parcel.area", [["0", 1], ["10", 1], ["20", 1], ["30", 1], ["40", 1]]),
    ],
)
def test_jobs_are_counted_by_the_values_of_a_field(worker: Api, mine: str, group: str, values: list[Any]) -> None:
    answer = worker.post("jobs/statistics", {"search": mine, "groupBy": group})
    assert (answer["total"], answer["groupBy"]) == (5, group)
    assert [[each["value"], each["count"]] for each in answer["groupedValues"]] == values


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"groupBy": "priority"}, "q or search must say"),
        ({"q": "closed=0", "groupBy": "colour"}, "groupBy: there is no field 'colour'"),
        ({"q": "closed"}, "q, character 7"),
    ],
)
def test_statistics_that_cannot_be_understood_say_why(worker: Api, body: dict[str, Any], words: str) -> None:
    assert words in worker.refused("jobs/statistics", body)["message"]


def test_the_administrator_is_no_exception(api: Api, mine: str) -> None:
    assert api.username == ADMIN
    assert api.post("jobs/statistics", {"search": mine})["total"] == 5
