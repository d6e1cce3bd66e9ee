"""What clients send beside what is asked for does no harm (rest.md 1.2, 1.3), on every operation.

Unknown members, ``f`` and ``token`` in query, body and form, members that are null, a slash at the end of the path,
booleans in each spelling.
"""

from types import UnionType
from typing import Any, get_args

import msgspec
import pytest

from app.api.operation import Either, Extended
from app.api.operations import OPERATIONS
from tests.api.conftest import error
from tests.conformance.people import Person
from tests.conformance.reads import READS, Read
from tests.conformance.rows import rows
from tests.conformance.scene import IDLE, Scene
from tests.conformance.writes import ONE_OF_EACH, WRITES, Write, outcome

TRANSPORT = {"f": "json", "token": "of no use", "whatEver": {"deep": [1, None]}}
QUERY = "?f=json&whatEver=1&_=1700000000"


every_read = pytest.mark.parametrize("read", READS, ids=lambda read: read.operation)
BODIES = [write for write in WRITES if write.operation != "updateJob" or write in ONE_OF_EACH]
"""All updates of a job have one body."""

every_write = pytest.mark.parametrize("write", BODIES, ids=lambda write: write.name)


@pytest.fixture
def scene(admin: Person) -> Scene:
    """Of its own for each test, since what is sent is done."""
    return Scene(admin)


@pytest.fixture(scope="module")
def still(client: Any) -> Scene:
    """For reads, which change nothing."""
    return Scene(Person(client))


def members_of(operation: str, variant: str) -> set[str]:
    """The wire's names of all members that the operation's body may have."""
    (row,) = [row for row in rows() if row.operation == operation]
    return set(_members(OPERATIONS[f"{row.method} {row.path}"].body, variant))


def _members(body: Any, variant: str) -> list[str]:
    if isinstance(body, Extended):
        return [*_members(body.base, variant), *body.members]
    if isinstance(body, Either):
        return _members(body.types[0], variant)
    if isinstance(body, UnionType):  # of actions: the one whose tag is the variant
        return [name for each in get_args(body) if _tag(each) == variant for name in _members(each, variant)]
    return [field.encode_name for field in msgspec.structs.fields(body)] if body is not None else []


def _tag(struct: Any) -> object:
    return struct.__struct_config__.tag


def test_null_members_are_found_for_what_has_any() -> None:
    assert {"numberOfJobs", "assignedTo", "location"} <= members_of("createJobs", "")
    assert {"stepIds", "holdScheduledRelease"} <= members_of("jobAction", "Hold")
    assert members_of("jobAction", "Run") == {"stepIds"}


# ---------------------------------------------------------------- writes


def done(write: Write, scene: Scene, admin: Person, **options: Any) -> str:
    """The outcome, once all is so that it can be done."""
    job_id = scene.job(write.job)
    if write.variant in {"ReleaseHold", "Finish"}:
        admin.acts(job_id, {"ReleaseHold": "Hold", "Finish": "Run"}[write.variant])
    return outcome(write.send(admin, scene, **options))


def with_more(value: Any) -> Any:
    """The value with a member nobody knows, and one that is null, in every object within it."""
    if isinstance(value, dict):
        return {name: with_more(member) for name, member in value.items()} | {"ownThing": [1], "nothing": None}
    return [with_more(member) for member in value] if isinstance(value, list) else value


@every_write
def test_a_write_ignores_what_it_does_not_know(write: Write, scene: Scene, admin: Person) -> None:
    sent = done(write, scene, admin, suffix=QUERY, change=lambda body: TRANSPORT | with_more(body))
    assert sent == "200 Success"


@every_write
def test_a_write_takes_null_for_absent_and_a_slash_at_the_end_for_none(
    write: Write, scene: Scene, admin: Person
) -> None:
    nulls = dict.fromkeys(members_of(write.operation, write.variant))
    assert done(write, scene, admin, suffix="/", change=lambda body: nulls | body) == "200 Success"


@pytest.mark.parametrize("write", [write for write in BODIES if write.body], ids=lambda write: write.name)
def test_a_body_of_nulls_is_as_an_empty_one(write: Write, still: Scene, admin: Person) -> None:
    """Refused for what is missing in the same words, or done where nothing has to be there."""
    nothing: dict[str, Any] = {}
    empty = write.send(admin, still, change=lambda _: nothing)
    nulls = write.send(admin, still, change=dict.fromkeys)
    assert empty.status_code in {200, 400}
    assert outcome(nulls) == outcome(empty)


# ---------------------------------------------------------------- reads


@every_read
def test_a_read_ignores_what_it_does_not_know_and_a_slash_at_the_end(admin: Person, still: Scene, read: Read) -> None:
    plain = read.send(admin, still)
    assert plain.status_code == 200
    for suffix in (QUERY, "/", f"/{QUERY}"):
        assert read.send(admin, still, suffix).content == plain.content


@pytest.mark.parametrize("read", [read for read in READS if read.flags], ids=lambda read: read.operation)
def test_switches_are_taken_in_each_spelling(admin: Person, still: Scene, read: Read) -> None:
    for spellings in (("true", "True", "1"), ("false", "False", "0")):
        answers = [
            read.send(admin, still, "?" + "&".join(f"{flag}={word}" for flag in read.flags)) for word in spellings
        ]
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
    for flag in read.flags:
        error(read.send(admin, still, f"?{flag}=perhaps"))


@pytest.mark.parametrize("read", [read for read in READS if read.body], ids=lambda read: read.operation)
def test_a_read_with_a_body_takes_null_and_unknown_members(admin: Person, still: Scene, read: Read) -> None:
    assert read.body is not None
    body = read.body(still.of(IDLE))
    nulls = dict.fromkeys(members_of(read.operation, ""))
    answer = read.send(admin, still, json=TRANSPORT | nulls | body)
    assert answer.json() == read.send(admin, still).json()


# ---------------------------------------------------------------- forms, tokens


def test_forms_ignore_what_they_do_not_know(admin: Person, still: Scene) -> None:
    path = f"jobs/{still.job(IDLE)}/attachments/{still.attachment(IDLE)}"
    fields = {"alias": "form", "f": "json", "whatEver": "x"}
    for options in ({"data": fields}, {"files": {name: (None, text) for name, text in fields.items()}}):
        assert admin.call("POST", path, **options).json() == {"success": True}


@every_read
def test_each_carrier_of_a_token_counts(admin: Person, still: Scene, read: Read) -> None:
    token = admin.token()
    plain = read.send(admin, still).content
    for headers in ({"Authorization": f"Bearer {token}"}, {"X-Esri-Authorization": f"Bearer {token}"}):
        assert read.send(admin, still, headers=headers).content == plain
    in_query = read.send(admin, still, f"?token={token}", headers={}, follow_redirects=False)
    assert in_query.status_code == (302 if read.operation == "getAttachment" else 200)
