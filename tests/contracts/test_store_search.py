"""Searching jobs: what SQL finds is what the condition says of each job, on both databases, in the right order."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import cmp_to_key
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.geometry import read_location
from app.domain.job import AssignedType, Assignment, CurrentStep, Flow, Job
from app.domain.properties import PropertyValue
from app.domain.values import Value
from app.expressions.job_fields import FIELDS, Field, Kind, find_field
from app.expressions.where import (
    OPERATORS,
    Compare,
    Condition,
    Constant,
    In,
    IsNull,
    Like,
    Literal,
    Not,
    Search,
    Several,
    matches,
)
from app.expressions.where_grammar import read
from app.services.ports import Item, JobQuery, JobRow, SortBy
from app.store import job_search
from app.store.job_search import looks_at
from app.store.migrate import migrate
from app.store.tx import SqlTx
from tests.conftest import BackendName
from tests.store.databases import AnyStore, Database, item_of, new_database, new_job
from tests.support import PostgresServer

ALL = JobQuery(Constant(True))
STATUSES = ("Ready", "ready", "In Progress", "Straße", "100%", "a_b", "back\\slash", "O'Hara", "\U0001d518", "\ue000")
NAMES = ("ana", "bob", "ana B", "Ärger", "g1")
TEXTS = (*STATUSES, *NAMES, "step-1", "Review", "User", "Group", "Unassigned", "", "12", "1.5", "2025-01-01")
MOMENTS = (0, 1, 1_735_689_600_000, 1_735_689_600_500, 1_763_368_200_000)
PROPERTIES = (("parcel", "area"), ("parcel", "apn"), ("other", "x"))


def step(number: int, assignment: Assignment) -> CurrentStep:
    return CurrentStep(f"step-{number}", f"visit-{number}", assignment, 1)


def some_jobs() -> list[tuple[Job, dict[tuple[str, str], Value]]]:
    """Sixty jobs that differ in everything a condition can ask for; nulls, equal values and odd letters among them."""
    jobs = []
    for number in range(60):
        kinds = (Assignment(), Assignment(AssignedType.USER, NAMES[number % 5]), Assignment(AssignedType.GROUP, "g1"))
        steps = tuple(step(each, kinds[(number + each) % 3]) for each in range(number % 4))
        place = read_location(json.dumps({"x": number, "y": 1, "spatialReference": {"wkid": 3857}}))
        found = new_job(
            f"job-{number:02}",
            name=f"Name {number % 7}",
            status=STATUSES[number % 10],
            priority=("Low", "Medium", "High")[number % 3],
            owned_by=NAMES[number % 5],
            description=None if number % 4 else TEXTS[number % len(TEXTS)],
            notes="It's notes" if number % 5 == 0 else None,
            parent_job=f"job-{number - 1:02}" if number % 6 == 5 else None,
            diagram_version=number % 3 + 1,
            percent_complete=number * 12.5 % 100,
            created_ms=MOMENTS[number % 5],
            due_ms=None if number % 3 == 0 else MOMENTS[number % 4],
            started_ms=number if number % 2 else None,
            closed=number % 4 == 0,
            location=place if number % 3 == 1 else None,
            flow=Flow(steps=steps),
        )
        properties: dict[tuple[str, str], Value] = {}
        if number % 2:
            area = number % 9
            is_whole = number % 4 == 1
            properties["parcel", "area"] = Value(str(area), area) if is_whole else Value(f"{area}.5", number=area + 0.5)
            properties["parcel", "apn"] = Value(None if number % 3 == 0 else TEXTS[number % len(TEXTS)])
        if number % 5 == 1:
            properties["other", "x"] = Value("2025-01-01T00:00:00Z", MOMENTS[2])
        jobs.append((found, properties))
    return jobs


def fill(tx: SqlTx) -> Item:
    item = item_of(tx)
    for found, properties in some_jobs():
        names = {each.step_id: ("Review", "Sign off", "Straße")[n] for n, each in enumerate(found.flow.steps)}
        record = tx.add_job(item, found, names)
        tx.set_properties(record, [PropertyValue(*names, value) for names, value in properties.items()])
    other = tx.add_item("other", "workflow", "Other")
    tx.add_job(other, new_job("elsewhere"))
    return item


class Filled:
    """A database with the jobs above, asked from synchronous tests."""

    def __init__(self, runner: asyncio.Runner, database: Database, store: AnyStore) -> None:
        self._runner = runner
        self.database = database
        self.store = store
        self.item: Item = runner.run(store.run(fill))
        self.rows = self.search(ALL, [], 0, 1000)

    def search(self, query: JobQuery, sort: list[SortBy], start: int, count: int) -> list[JobRow]:
        return self._runner.run(self.store.read(lambda tx: tx.search_jobs(self.item, query, sort, start, count)))

    def count(self, query: JobQuery) -> int:
        return self._runner.run(self.store.read(lambda tx: tx.count_jobs(self.item, query)))

    def count_by(self, query: JobQuery, field: Field) -> dict[Literal | None, int]:
        found = self._runner.run(self.store.read(lambda tx: tx.count_jobs_by(self.item, query, SortBy(field))))
        return dict(found)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """A database of this module's own: the shared one is emptied by each test that uses it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('search') / 'stepgate.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        name = f"search_{os.getpid()}"
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        url = f"{server.url.rpartition('/')[0]}/{name}"
    with asyncio.Runner() as runner:
        runner.run(migrate(url))
        database = Database(url)
        yield Filled(runner, database, runner.run(database.open_store()))
        runner.run(database.close())


def ids(rows: list[JobRow]) -> list[Any]:
    return [row.members["jobId"] for row in rows]


def expected(rows: list[JobRow], condition: Condition) -> list[Any]:
    return ids([row for row in rows if matches(condition, looks_at(row))])


# ---------------------------------------------------------------- any condition


FIELD = st.sampled_from(sorted(FIELDS.values(), key=lambda field: field.name))
PROPERTY = st.sampled_from(
    [Field(f"{table}.{n}", Kind.TEXT, f"{table}.{n}", property=(table, n)) for table, n in PROPERTIES]
)
SIGN = st.sampled_from(sorted(OPERATORS))
TEXT = st.sampled_from(TEXTS)
NUMBER = st.sampled_from([0, 1, 2, 3, 1.5, 12.5, 50.0, -1, 1_735_689_600_000, 2**62])
PATTERN = st.lists(st.sampled_from(["%", "_", "a", "S", "ß", "\\", "'", "re", "100", "-", "Ä"]), max_size=4).map(
    "".join
)


def literals(field: Field) -> st.SearchStrategy[Any]:
    by_kind: dict[Kind, st.SearchStrategy[Any]] = {
        Kind.TEXT: TEXT,
        Kind.INTEGER: NUMBER,
        Kind.NUMBER: NUMBER,
        Kind.MOMENT: st.sampled_from(MOMENTS),
        Kind.FLAG: st.booleans(),
    }
    return by_kind[field.kind]


def terms() -> st.SearchStrategy[Condition]:
    text_field = (FIELD | PROPERTY).filter(lambda field: field.kind is Kind.TEXT)
    return st.one_of(
        FIELD.flatmap(lambda field: st.builds(Compare, st.just(field), SIGN, literals(field))),
        FIELD.flatmap(lambda field: st.builds(In, st.just(field), st.lists(literals(field), max_size=3).map(tuple))),
        st.builds(Compare, PROPERTY, SIGN, TEXT | NUMBER),
        st.builds(Like, text_field, PATTERN),
        st.builds(IsNull, FIELD | PROPERTY),
        st.builds(Search, st.sampled_from(["ana", "STRASSE", "%", "_", "name 3", "review", "\\", "user"])),
        st.builds(Constant, st.booleans()),
    )


def grow(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.builds(Not, parts) | st.builds(Several, st.booleans(), several)


CONDITIONS = st.recursive(terms(), grow, max_leaves=5)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(condition=CONDITIONS)
def test_sql_finds_what_the_condition_says_of_each_job(filled: Filled, condition: Condition) -> None:
    query = JobQuery(condition)
    found = filled.search(query, [], 0, 1000)
    assert ids(found) == expected(filled.rows, condition)
    assert filled.count(query) == len(found)


@settings(max_examples=60)
@given(condition=CONDITIONS.filter(lambda condition: "SEARCH(" not in condition.text()))
def test_a_condition_written_with_storage_names_and_read_again_is_the_same(condition: Condition) -> None:
    """In lists without values and flags compared with an order, too."""
    again = read(condition.text(), 0)
    rows = [
        JobRow({}, (), {}),
        JobRow({"closed": True, "jobName": "Name 3", "dueDate": 1}, ({"assignedTo": "ana"},), {}),
    ]
    for row in rows:
        assert matches(again, looks_at(row)) == matches(condition, looks_at(row))


# ---------------------------------------------------------------- order and pages


SORTABLE = FIELD | PROPERTY


def in_order(rows: list[JobRow], sort: list[SortBy]) -> list[Any]:
    """The reference: nulls last whatever the direction, then by creation in the direction of the first field."""

    def values(row: JobRow, by: SortBy) -> list[Any]:
        look = looks_at(row)[0]
        if by.field.property is not None:
            return [look.value(by.field, 1), look.value(by.field)]
        if by.field.of_step:
            return [min((value for each in row.steps if (value := each[by.field.name]) is not None), default=None)]
        return [look.value(by.field)]

    def compare(left: tuple[int, JobRow], right: tuple[int, JobRow]) -> int:
        for by in sort:
            for one, other in zip(values(left[1], by), values(right[1], by), strict=True):
                if (one is None) != (other is None):
                    return 1 if one is None else -1
                if one != other:
                    return (1 if one > other else -1) * (-1 if by.descending else 1)
        return (left[0] - right[0]) * (-1 if sort and sort[0].descending else 1)

    return ids([row for _, row in sorted(enumerate(rows), key=cmp_to_key(compare))])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sort=st.lists(st.builds(SortBy, SORTABLE, st.booleans()), max_size=3),
    page=st.tuples(st.integers(0, 65), st.sampled_from([1, 7, 50, 1000])),
    few=st.sampled_from([0, 1_000]),
    condition=st.sampled_from(
        ["1=1", "closed=0", "priority='High'", "dueDate>=date '2025-01-01'", "assignedTo='ana'", "jobName LIKE 'name%'"]
    ),
)
def test_a_page_is_cut_from_the_order_whichever_way_it_is_found(
    filled: Filled, sort: list[SortBy], page: tuple[int, int], few: int, condition: str
) -> None:
    """``few`` decides whether matches are collected and sorted, or jobs are read in order until enough match."""
    wanted, (start, count) = read(condition, 0), page
    rows = [row for row in filled.rows if matches(wanted, looks_at(row))]
    with pytest.MonkeyPatch.context() as patch:
        for name in ("FEW", "FEW_COVERED", "MOST_COVERED", "REACH"):
            patch.setattr(job_search, name, few)
        found = filled.search(JobQuery(wanted), sort, start, count)
    assert ids(found) == in_order(rows, sort)[start : start + count]


def test_values_of_a_job_are_shown(filled: Filled) -> None:
    (row,) = filled.search(JobQuery(read("jobId='job-35'", 0)), [], 0, 2)
    assert row.members["parentName"] == "Name 6"
    assert (row.members["closed"], row.members["hasLocation"], row.members["activeVersions"]) == (False, False, None)
    assert [each["currentStep"] for each in row.steps] == ["Review", "Sign off", "Straße"]
    assert row.properties["parcel", "area"] == ("8.5", 8.5)


def test_jobs_are_found_by_their_place(filled: Filled) -> None:
    found = filled.search(JobQuery(Constant(True), (9.5, 0, 16, 2)), [], 0, 100)
    assert ids(found) == ["job-10", "job-13", "job-16"]
    assert filled.count(JobQuery(read("closed=1", 0), (9.5, 0, 16, 2))) == 1


# ---------------------------------------------------------------- counting


@pytest.mark.parametrize("name", sorted([*FIELDS, "parcel.apn"]))
def test_jobs_are_counted_by_each_value(filled: Filled, name: str) -> None:
    field = find_field(name)
    assert field is not None
    counts: dict[Any, int] = {}
    for row in filled.rows:
        if not row.members["closed"]:
            looks = looks_at(row)
            for value in {look.value(field) for look in looks}:
                counts[value] = counts.get(value, 0) + 1
    assert filled.count_by(JobQuery(read("closed=0", 0)), field) == counts


# ---------------------------------------------------------------- what changes


@pytest.fixture
async def store(backend: BackendName, request: pytest.FixtureRequest) -> AsyncIterator[AnyStore]:
    async with new_database(backend, request) as made:
        yield await made.open_store()


@pytest.mark.anyio
async def test_a_search_follows_what_becomes_of_a_job(store: AnyStore) -> None:
    async def found(condition: str) -> bool:
        query = JobQuery(read(condition, 0))
        return bool(await store.read(lambda tx: tx.count_jobs(item_of_reader(tx), query)))

    def item_of_reader(tx: SqlTx) -> Item:
        item = tx.item("workflow", "item")
        assert item is not None
        return item

    def change(**members: Any) -> Any:
        def save(tx: SqlTx) -> None:
            names = members.pop("names", {})
            record = tx.lock_jobs(item_of(tx), ["job"])["job"]
            record.job, record.step_names = replace(record.job, **members), names
            tx.save_job(record)

        return store.run(save)

    await store.run(lambda tx: tx.add_job(item_of(tx), new_job(), {"a": "First"}))
    assert await found("currentStep='First' AND assignedType='Unassigned'")
    moved = Flow(steps=(step(1, Assignment(AssignedType.USER, "ana")), step(2, Assignment())))
    await change(flow=moved, names={"step-1": "Second", "step-2": "Third"})
    assert await found("currentStep='Second' AND assignedTo='ana'")
    assert not await found("currentStep='Third' AND assignedTo='ana'")
    assert await found("currentStep LIKE 'THIRD'")
    await change(diagram_version=2, names={"step-1": "Renamed", "step-2": "Third"})
    assert await found("currentStep='Renamed' AND assignedTo='ana'")
    await change(flow=Flow(), name="Ärger")
    assert await found("currentStep IS NULL AND jobName LIKE 'ärg%'")
