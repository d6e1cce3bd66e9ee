"""Every endpoint that takes a body refuses what is wrong with it, in words, and changes nothing."""

from typing import Any

import pytest

from tests.api.conftest import MAX_BODY_BYTES, Api, error

JSON = "application/json"

ENDPOINTS = {
    "jobs/{job}/action": "JobActionBody",
    "jobs/{job}/one": "AssignStepBody",
    "jobs/{job}/comments": "JobComment",
    "jobs/{job}/steps/one/response": "StepInformation",
    "jobs/manage": "ManageJobsBody",
    "jobTemplates/{template}/job": "CreateJobOverrides",
    "jobTemplates": "JobTemplate",
    "diagrams": "WorkflowDiagram",
    "diagrams/{diagram}": "UpdateDiagramBody",
}
"""Path, and what an error calls its body."""

GOOD_BODIES = {
    "jobs/{job}/action": b'"type": "Run"',
    "jobs/{job}/one": b'"assignedType": "Unassigned"',
    "jobs/{job}/comments": b'"comment": "c"',
    "jobs/{job}/steps/one/response": b'"manualResponse": true',
    "jobs/manage": b'"type": "Close", "jobIds": ["%(job)s"]',
    "jobTemplates/{template}/job": b'"jobName": "n"',
    "jobTemplates": b'"jobTemplateName": "n", "diagramId": "99o2QTePTqq-BHRHK_Aeag", "diagramName": "", '
    b'"defaultPriorityName": "Low", "state": "Draft"',
    "diagrams": b'"diagramName": "n", "steps": []',
    "diagrams/{diagram}": b'"diagram": {"diagramName": "n", "steps": []}',
}
"""Members that would do, were it not for what is added to them."""

BAD_BODIES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "cut off": (b'{"x": 1', "JSON"),
    "an array": (b"[1]", "expected `object`"),
    "a text": (b'"Run"', "expected `object`"),
    "null": (b"null", "expected `object`"),
}

BAD_MEMBERS: dict[str, tuple[bytes, str]] = {
    "not a number": (b'"x": NaN', "JSON"),
    "bad UTF-8": (b'"x": "\xff"', "UTF-8"),
    "NUL": (b'"x": "a\\u0000b"', "NUL"),
    "NUL in a name": (b'"a\\u0000b": 1', "NUL"),
    "raw NUL": (b'"x": "a\x00b"', "JSON"),
    "half a surrogate pair": (b'"x": "\\ud800"', "surrogate"),
    "a huge integer": (b'"x": 99999999999999999999', "64 bits"),
    "an endless integer": (b'"x": ' + b"9" * 5_000, "was invalid"),
    "too deep": (b'"x": ' + b"[" * 50_000 + b"]" * 50_000, "deeply"),
}
"""Members that no endpoint knows: they are checked all the same, since a document keeps them."""


@pytest.fixture(scope="module")
def paths(client: Any) -> dict[str, str]:
    api = Api(client)
    diagram = api.diagram("Bad input", [{"id": "one", "paths": []}])
    template = api.template("Bad input", diagram)
    return {"job": api.job(template), "template": template, "diagram": diagram}


def state(api: Api, paths: dict[str, str]) -> list[Any]:
    """Everything a POST of these tests could change."""
    job = f"jobs/{paths['job']}"
    reads = [f"{job}?holds=true&extProps=true", f"{job}/comments", f"{job}/history", "jobTemplates", "diagrams"]
    return [api.get(path) for path in [*reads, f"diagrams/{paths['diagram']}"]]


def refuse(api: Api, paths: dict[str, str], endpoint: str, body: bytes) -> str:
    """Post a body that must be refused and change nothing; returns the message."""
    before = state(api, paths)
    headers = {"Authorization": f"Bearer {api.token()}", "Content-Type": JSON}
    found = error(api.call("POST", endpoint.format(**paths), content=body, headers=headers))
    assert state(api, paths) == before
    assert ENDPOINTS[endpoint] in found["message"]
    return str(found["message"])


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("kind", BAD_BODIES)
def test_a_bad_body_is_refused_in_words_and_changes_nothing(
    api: Api, paths: dict[str, str], endpoint: str, kind: str
) -> None:
    body, fault = BAD_BODIES[kind]
    assert fault in refuse(api, paths, endpoint, body)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("kind", BAD_MEMBERS)
def test_a_bad_member_is_refused_in_words_and_changes_nothing(
    api: Api, paths: dict[str, str], endpoint: str, kind: str
) -> None:
    member, fault = BAD_MEMBERS[kind]
    good = GOOD_BODIES[endpoint].replace(b"%(job)s", paths["job"].encode())
    assert fault in refuse(api, paths, endpoint, b"{" + good + b", " + member + b"}")


@pytest.mark.parametrize("endpoint", ["diagrams", "jobTemplates"])
def test_a_number_beyond_all_bounds_does_not_get_into_a_document(
    api: Api, paths: dict[str, str], endpoint: str
) -> None:
    assert "range" in refuse(api, paths, endpoint, b"{" + GOOD_BODIES[endpoint] + b', "x": 1e999}')


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_a_body_of_another_media_type_is_refused(
    api: Api, paths: dict[str, str], endpoint: str, media_type: str
) -> None:
    headers = {"Authorization": f"Bearer {api.token()}", "Content-Type": media_type}
    found = error(api.call("POST", endpoint.format(**paths), content=b"{}", headers=headers))
    assert JSON in found["message"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_body_above_the_limit_is_refused_whether_its_length_is_announced_or_not(
    api: Api, paths: dict[str, str], endpoint: str
) -> None:
    headers = {"Authorization": f"Bearer {api.token()}", "Content-Type": JSON}
    body = b'{"x": "' + b"a" * MAX_BODY_BYTES + b'"}'
    for content in (body, iter([body[:100], body[100:]])):
        found = error(api.call("POST", endpoint.format(**paths), content=content, headers=headers))
        assert found["type"] == "QuotaExceeded"
        assert f"{MAX_BODY_BYTES:,}" in found["message"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_body_is_not_looked_at_before_the_token(api: Api, paths: dict[str, str], endpoint: str) -> None:
    for headers in ({}, {"Authorization": f"Bearer {api.token(ttl_s=-5)}"}, {"Authorization": "Bearer x"}):
        error(api.call("POST", endpoint.format(**paths), content=b"{", headers=headers), 401)


@pytest.mark.parametrize("segment", ["%00", "a%00b"])
@pytest.mark.parametrize("path", ["jobs/{}", "jobs/{}/history", "diagrams/{}", "jobTemplates/{}"])
def test_a_path_with_a_nul_is_refused(api: Api, path: str, segment: str) -> None:
    assert "NUL" in error(api.call("GET", path.format(segment)))["message"]


@pytest.mark.parametrize("segment", ["é", "%FF", "a" * 5_000, "'; DROP TABLE job; --", "{x}"])
@pytest.mark.parametrize("path", ["jobs/{}", "jobs/{}/history", "diagrams/{}", "jobTemplates/{}"])
def test_an_odd_id_in_the_path_is_only_not_found(api: Api, path: str, segment: str) -> None:
    error(api.call("GET", path.replace("{}", segment)), 404)


@pytest.mark.parametrize("text", ["é\U0001f600", "\u202e", "'; DROP TABLE job; --", "a" * 100_000])
def test_odd_text_comes_back_as_it_went_in(api: Api, paths: dict[str, str], text: str) -> None:
    template = f"jobTemplates/{paths['template']}/job"
    job_id = api.post(template, {"description": text})["jobIds"][0]
    assert api.get(f"jobs/{job_id}")["description"] == text


def test_members_of_the_request_itself_are_ignored(api: Api, paths: dict[str, str]) -> None:
    body = {"comment": "x", "f": "json", "token": "whatever", "unknown": {"a": 1}}
    assert api.post(f"jobs/{paths['job']}/comments", body)["commentId"]


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON", "application/x+json"])
def test_each_spelling_of_json_is_taken(api: Api, paths: dict[str, str], media_type: str) -> None:
    headers = {"Authorization": f"Bearer {api.token()}", "Content-Type": media_type}
    response = api.call("POST", f"jobs/{paths['job']}/comments", content=b'{"comment": "x"}', headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize("comment", ["", None, 5, "x" * 10_001])
def test_a_comment_must_be_text_of_a_sensible_length(api: Api, paths: dict[str, str], comment: Any) -> None:
    assert "comment" in api.refused(f"jobs/{paths['job']}/comments", {"comment": comment})["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"type": "Close"},
        {"jobIds": ["x"]},
        {"type": "close", "jobIds": ["x"]},
        {"type": "Close", "jobIds": []},
        {"type": "Close", "jobIds": "x"},
        {"type": "Close", "jobIds": [1]},
        {"type": "Close", "jobIds": ["x"] * 1_001},
    ],
)
def test_managing_needs_a_known_type_and_ids(api: Api, body: Any) -> None:
    assert "ManageJobsBody was invalid" in api.refused("jobs/manage", body)["message"]
