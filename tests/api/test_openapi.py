"""The API's description: complete, closed in itself, and true of what the server answers."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import jsonschema_rs  # comes with schemathesis
import msgspec
import pytest
from starlette.testclient import TestClient

from app.api.asyncapi import FEED, OF_ITEM, REPLIES, asyncapi_document
from app.api.openapi import described_routes, openapi_document
from app.api.operations import OPERATIONS, PATH_PARAMETERS
from app.api.problems import STATUS_OF
from app.api.routes import routes
from app.protocol import notifications, prompts
from app.protocol.codes import CLOSE_CODES
from app.services.first_start import ADMIN, ITEM_ID, ORG_ID, TEMPLATE_ID
from tests.conftest import StartServer
from tests.support import deadline

PAIRS = described_routes(routes)
WIRE = Path(__file__).parents[1] / "wire"
MOST_S = 25
"""What the run below takes; a deadline is ten times that."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return cast(dict[str, Any], msgspec.json.decode(msgspec.json.encode(openapi_document(PAIRS))))


@pytest.fixture(scope="module")
def live() -> dict[str, Any]:
    return cast(dict[str, Any], msgspec.json.decode(msgspec.json.encode(asyncapi_document())))


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(reference := value.get("$ref"), str):
            yield reference
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for member in value:
            yield from references(member)


def target(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    for segment in reference.removeprefix("#/").split("/"):
        found = found[segment]
    return found


def test_every_route_is_described_and_every_description_has_a_route() -> None:
    assert {f"{method} {path}" for method, path in PAIRS} == set(OPERATIONS)


def test_every_operation_says_what_it_takes_and_gives(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        assert operation["summary"].strip()
        assert {each["name"] for each in operation["parameters"] if each["in"] == "path"} == set(
            re.findall(r"{(\w+)}", path)
        )
        assert ("requestBody" in operation) == (method in {"post", "put", "patch"})
        for status, answer in operation["responses"].items():
            assert answer["description"].strip(), f"{method} {path} {status}"
            assert ("content" in answer) == (status not in {"202", "204", "302", "304"})


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)


def test_whoever_needs_a_token_is_told_so(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        gives_tokens = path in {"/api/auth/token", "/webapi/oauth2/token"}
        takes_token = ("{itemId}" in path or "/admin/" in path) and not path.endswith("/executeWebhook")
        assert bool(operation["security"]) == ("401" in operation["responses"] and not gives_tokens)
        assert bool(operation["security"]) == (takes_token or path.startswith(("/v3/", "/webapi/v1/")))


def test_error_answers_have_statuses_that_errors_can_have() -> None:
    described = {status for operation in OPERATIONS.values() for status in operation.errors}
    assert described <= set(STATUS_OF.values()) | {416}, "a range has no error class: downloads.py tells it"


def test_every_reference_leads_somewhere(document: dict[str, Any], live: dict[str, Any]) -> None:
    for each in (document, live):
        for reference in references(each):
            assert target(each, reference), reference


def test_every_schema_is_used_and_documented(document: dict[str, Any], live: dict[str, Any]) -> None:
    for each in (document, live):
        used = {reference.rpartition("/")[2] for reference in references(each)}
        for name, schema in each["components"]["schemas"].items():
            assert name in used
            assert schema.get("description") or "enum" in schema, f"{name} has no docstring"
            assert "``" not in schema.get("description", "")


def concrete(base: type, module: Any) -> set[type]:
    """The message classes of a module; those that others are made from carry ``Body`` in their name."""
    return {
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, base) and not each.__name__.endswith("Body")
    }


def test_every_message_of_the_websocket_is_described() -> None:
    parts = {notifications.JobComment}
    messages = concrete(notifications.JobBody, notifications) | {notifications.Ack, notifications.Error}
    assert set(FEED + REPLIES) == messages - parts | {prompts.StepInfoRequired}
    assert set(OF_ITEM) == concrete(notifications.ItemBody, notifications)


def test_step_info_required_has_a_form_for_each_kind_of_step(live: dict[str, Any]) -> None:
    forms = live["components"]["messages"]["StepInfoRequired"]["payload"]["properties"]["message"]["anyOf"]
    assert {form["$ref"].rpartition("/")[2] for form in forms} == {
        each.__name__ for each in concrete(prompts.StepInfoRequired, prompts)
    }


def test_messages_of_a_feed_have_a_number_and_replies_have_none(live: dict[str, Any]) -> None:
    for name, message in live["components"]["messages"].items():
        required = message["payload"].get("required", [])
        assert ("seq" in required) == (name in {body.msg_type() for body in FEED})


@pytest.mark.parametrize("file", sorted(WIRE.glob("*.json")), ids=lambda file: file.stem)
def test_every_example_of_the_wire_fits_its_description(file: Path, live: dict[str, Any]) -> None:
    example = msgspec.json.decode(file.read_bytes())
    message = live["components"]["messages"][example.get("msgType", "connected")]
    schema = message["payload"] | {"components": live["components"]}
    jsonschema_rs.validator_for(schema).validate(example)


def test_every_schema_is_one(document: dict[str, Any], live: dict[str, Any]) -> None:
    for each in (document, live):
        for schema in each["components"]["schemas"].values():
            jsonschema_rs.meta.validate(schema)


def test_the_codes_that_close_a_socket_are_told(live: dict[str, Any]) -> None:
    for code in CLOSE_CODES:
        assert f"`{code.code}`" in live["info"]["description"]


def test_documents_and_page_are_served_to_everybody_and_need_nothing_from_elsewhere(client: TestClient) -> None:
    assert client.get("/openapi.json").json()["openapi"] == "3.1.0"
    assert client.get("/asyncapi.json").json()["asyncapi"] == "3.0.0"
    answer = client.get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    assert not re.search(r"<script|<link|src=|@import|https?://", answer.text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_page_lists_every_operation_and_message_and_its_links_resolve(client: TestClient) -> None:
    text = client.get("/docs").text
    for operation in OPERATIONS.values():
        assert f'id="{operation.operation_id}"' in text
    for body in FEED + OF_ITEM + REPLIES:
        assert f"<code>{body.msg_type()}</code>" in text
    anchors = set(re.findall(r'id="([^"]+)"', text))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= anchors


def test_every_segment_of_a_path_is_explained() -> None:
    used = {name for route in routes for name in re.findall(r"{(\w+)}", getattr(route, "path", ""))}
    assert used == set(PATH_PARAMETERS)


# ---------------------------------------------------------------- what is said, against what is answered

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def test_answers_to_generated_requests_are_as_described(start_server: StartServer, tmp_path: Path) -> None:
    """Right and wrong requests, made from the description: no answer is a 500, or one that is not described.

    A longer hunt: ``schemathesis run URL/openapi.json -H "Authorization: Bearer $(stepgate token admin)"``.
    """
    server = start_server(data_dir=tmp_path / "data")
    config = tmp_path / "schemathesis.toml"
    config.write_text(f"""[parameters]
"path.orgId" = "{ORG_ID}"
"path.itemId" = "{ITEM_ID}"
"path.jobTemplateId" = "{TEMPLATE_ID}"
""")
    run = subprocess.run(
        [
            *(Path(sys.executable).with_name("schemathesis"), "--no-color", "--config-file", config),
            *("run", f"{server.url}/openapi.json", "--header", f"Authorization: Bearer {server.token(ADMIN)}"),
            *("--phases", "coverage", "--checks", CHECKS, "--seed", "1", "--max-time", str(round(deadline(MOST_S)))),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=2 * deadline(MOST_S),
    )
    assert run.returncode == 0, run.stdout + run.stderr
    tested = re.search(r"Tested: (\d+)", run.stdout)
    assert tested, run.stdout
    assert int(tested[1]) >= len(OPERATIONS) - 1, "the description itself may be left out, and nothing else"
