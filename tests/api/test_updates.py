"""Updates of jobs and their extended properties over REST (rest.md 5.5), as clients send them."""

from typing import Any

import pytest

from tests.api.conftest import Api

TABLES = [
    {
        "tableName": "update_site",
        "tableAlias": "Site",
        "extendedPropertyDefinitions": [
            {"propertyName": "acres", "dataType": "Double", "defaultValue": "1"},
            {"propertyName": "paid", "dataType": "Boolean"},
        ],
    },
    {
        "tableName": "update_visit",
        "relationshipType": "OneToMany",
        "extendedPropertyDefinitions": [{"propertyName": "day", "dataType": "DateOnly", "required": True}],
    },
]


@pytest.fixture(scope="module")
def template(client: Any) -> str:
    api = Api(client)
    diagram = api.diagram("Updated", [{"id": "one", "name": "One", "paths": []}])
    return api.template("Updated", diagram, extendedPropertyTableDefinitions=TABLES)


def test_a_client_may_send_the_whole_job_back(api: Api, template: str) -> None:
    """python-client.md 1, trap 11: everything is echoed; what cannot be changed is ignored."""
    job_id = api.job(template, dueDate="2030-01-01T00:00:00.123Z")
    job = api.get(f"jobs/{job_id}?extProps=true&holds=true")
    echo = job | {"notes": "new", "jobStatus": "Anything", "unknown": 1, "startDate": None, "closed": True}
    echo |= {"extendedProperties": None, "relatedProperties": None, "versions": None}
    assert api.post(f"jobs/{job_id}/update", echo) == {"success": True}
    after = api.get(f"jobs/{job_id}?extProps=true&holds=true")
    assert after == job | {"notes": "new", "jobStatus": "Anything"}


def test_properties_and_rows_come_and_go(api: Api, template: str) -> None:
    row = {"properties": [{"propertyName": "day", "value": "2025-03-01"}]}
    job_id = api.job(
        template,
        extendedProperties=[{"identifier": "update_site.paid", "value": True}],
        relatedProperties=[{"tableName": "update_visit", "entries": [row, row]}],
    )
    job = api.get(f"jobs/{job_id}?extProps=true")
    assert job["extendedProperties"] == [
        {
            "tableName": "update_site",
            "properties": [{"propertyName": "acres", "value": "1"}, {"propertyName": "paid", "value": "true"}],
        }
    ]
    first, second = job["relatedProperties"][0]["entries"]
    assert first == row | {"id": first["id"], "createdDate": first["createdDate"]}
    changed = {"id": first["id"], "properties": [{"propertyName": "day", "value": "2026-01-01"}]}
    body = {
        "extendedProperties": [{"identifier": "update_site.acres", "value": 2.5}],
        "relatedProperties": {
            "adds": [{"tableName": "update_visit", "entries": [row]}],
            "updates": [{"tableName": "update_visit", "entries": [changed]}],
            "deletes": [{"tableName": "update_visit", "ids": [second["id"]]}],
        },
    }
    assert api.post(f"jobs/{job_id}/update", body) == {"success": True}
    after = api.get(f"jobs/{job_id}?extProps=True")
    assert after["extendedProperties"][0]["properties"][0]["value"] == "2.5"
    days = [entry["properties"][0]["value"] for entry in after["relatedProperties"][0]["entries"]]
    assert days == ["2026-01-01", "2025-03-01"]
    assert "relatedProperties" not in api.get(f"jobs/{job_id}")


def test_versions_are_shown_as_active_ones(api: Api, template: str) -> None:
    job_id = api.job(template)
    version = {"dataSourceName": "parcels", "versionName": "ana.J1", "versionGuid": "{g}"}
    api.post(f"jobs/{job_id}/update", {"versions": [version]})
    assert api.get(f"jobs/{job_id}")["activeVersions"] == [
        {"name": "ana.J1", "versionId": "{g}", "dataSourceName": "parcels"}
    ]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"percentComplete": 101}, "percentComplete"),
        ({"dueDate": "soon"}, "dueDate: 'soon' is not a moment"),
        ({"versions": [{"versionName": "v"}]}, "dataSourceName or dataReferenceId"),
        ({"versions": [{"dataSourceName": "s"}]}, "versionGuid"),
        ({"extendedProperties": {"update_site.acres": "1"}}, "extendedProperties"),
        ({"extendedProperties": [{"identifier": "acres", "value": "1"}]}, "acres"),
        ({"relatedProperties": {"updates": [{"tableName": "update_visit", "entries": [{"properties": []}]}]}}, "id"),
        ({"relatedProperties": {"adds": [{"tableName": "update_visit", "entries": [{"properties": []}]}]}}, "required"),
    ],
)
def test_a_body_that_is_wrong_says_where(api: Api, template: str, body: dict[str, Any], fault: str) -> None:
    job_id = api.job(template)
    before = api.get(f"jobs/{job_id}?extProps=true"), api.get(f"jobs/{job_id}/history")
    assert fault in api.refused(f"jobs/{job_id}/update", body | {"notes": "new"})["message"]
    assert (api.get(f"jobs/{job_id}?extProps=true"), api.get(f"jobs/{job_id}/history")) == before


def test_who_may_not_and_what_is_not_there(api: Api, worker: Api, outsider: Api, template: str) -> None:
    job_id = api.job(template)
    assert worker.refused(f"jobs/{job_id}/update", {"notes": "1"})["type"] == "PermissionDenied"
    outsider.refused(f"jobs/{job_id}/update", {"notes": "1"}, 403)
    assert api.refused("jobs/nothing/update", {"notes": "1"})["type"] == "JobNotFound"
    assert "notes" not in api.get(f"jobs/{job_id}")
