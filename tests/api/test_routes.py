"""The route table: nothing hides anything, and a step cannot be called like a resource of its job."""

import re

from starlette.routing import Match, Route

from app.api.openapi import described_routes
from app.api.operations import ITEM
from app.api.routes import routes
from app.domain.diagram import RESERVED_STEP_IDS
from tests.api.test_keyed import SAMPLES
from tests.conformance.reads import READS
from tests.conformance.rows import ITEM as ROW_ITEM
from tests.conformance.rows import ORG, WEBSOCKET, rows
from tests.conformance.writes import ELSEWHERE, WRITES

HTTP = [route for route in routes if isinstance(route, Route)]


def concrete(route: Route) -> str:
    """A path of the route, each of its parameters filled in with a word that is no segment of the table."""
    return re.sub(r"{(\w+)}", r"x-\1", route.path)


def test_every_route_is_the_first_that_matches_its_own_path() -> None:
    for route in HTTP:
        for method in route.methods or ():
            scope = {"type": "http", "method": method, "path": concrete(route), "root_path": "", "headers": []}
            first = next(each for each in routes if each.matches(scope)[0] is Match.FULL)
            assert first is route, f"{method} {route.path} is hidden by {first}"


def test_no_step_may_be_called_like_a_resource_of_its_job() -> None:
    """``POST jobs/{jobId}/{stepId}`` would never reach it."""
    segments = {
        route.path.split("/")[5] for route in HTTP if re.match(r"/{org_id}/{item_id}/jobs/{job_id}/\w", route.path)
    }
    assert segments >= {"action", "comments"}
    assert {segment.lower() for segment in segments} <= RESERVED_STEP_IDS


def test_no_route_answers_twice() -> None:
    table = [(method, route.path) for route in HTTP for method in route.methods or ()]
    assert len(set(table)) == len(table)


def test_every_post_of_the_workflow_api_is_tried_with_an_idempotency_key() -> None:
    """The portal's are none of it: they change nothing."""
    posts = {path for method, path in described_routes(routes) if method == "POST" and path.startswith(f"{ITEM}/")}
    missing = posts - {f"{ITEM}/{name}" for name in SAMPLES}
    assert not missing, "let the handler answer through app/api/keyed.py, and add a sample to tests/api/test_keyed.py"
    assert len(posts) == len(SAMPLES)


def test_every_route_of_an_item_and_of_the_server_has_one_row_in_the_tests_of_conformance() -> None:
    served = sorted(route for route in described_routes(routes) if route[1].startswith(f"{ORG}/"))
    told = sorted((row.method, row.path) for row in rows() if row.method != WEBSOCKET)
    assert told == served, "add the row, and what goes with it: tests/conformance/README.md says how"


def test_every_operation_of_an_item_is_tried_by_those_who_may_not() -> None:
    """Those of the server (``/{orgId}/admin/...``) have rules of their own, and their own tests."""
    served = {row.operation for row in rows() if row.method != WEBSOCKET and row.path.startswith(ROW_ITEM)}
    tried = {write.operation for write in WRITES} | {read.operation for read in READS} | set(ELSEWHERE)
    admin = {row.operation for row in rows() if "/admin/" in row.path}
    assert served - admin == tried, "add it to tests/conformance/writes.py or reads.py"
