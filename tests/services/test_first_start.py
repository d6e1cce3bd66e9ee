"""What a new database holds, and that it is filled once."""

import asyncio
import json

import pytest

from app.domain.access import ADMIN_ROLE, DEFAULT_ROLES
from app.domain.diagram import StepKind, check_activation
from app.domain.job import AssignedType
from app.errors import Conflict
from app.protocol.diagrams import check_expressions
from app.services.access import read_actor
from app.services.first_start import (
    ADMIN,
    ADMIN_GROUP,
    ITEM_ID,
    ITEM_NAME,
    ORG_ID,
    TEMPLATE_ID,
    FirstPeople,
    first_start,
)
from app.services.ports import DiagramRecord, Item, Store, Tx

pytestmark = pytest.mark.anyio

PEOPLE = FirstPeople("the hash", "the-admin-group-id", "the-key", b"k" * 32)
INTRODUCTION = "99o2QTePTqq-BHRHK_Aeag"
WELCOME = "df4c8d20-5c99-457f-0be1-21fa8f830760"


@pytest.fixture
async def filled(store: Store) -> Store:
    assert await store.run(lambda tx: first_start(tx, PEOPLE)) is True
    return store


def _item(tx: Tx) -> Item:
    item = tx.item(ORG_ID, ITEM_ID)
    assert item is not None
    return item


def _introduction(tx: Tx) -> DiagramRecord:
    record = tx.diagram(_item(tx), INTRODUCTION)
    assert record is not None
    return record


async def test_the_item_has_its_name_and_the_admin_every_privilege_of_the_administrator(filled: Store) -> None:
    item = await filled.read(_item)
    assert item.name == ITEM_NAME == "Workflow"
    actor = await filled.read(lambda tx: read_actor(tx, _item(tx), ADMIN))
    assert actor.privileges == frozenset(DEFAULT_ROLES[0].privileges)
    group = await filled.read(lambda tx: tx.group_by_name(ADMIN_GROUP))
    assert group is not None
    assert actor.groups == {group.group_id}
    assert await filled.read(lambda tx: dict(tx.roles_of_groups(_item(tx)))) == {group.group_id: (ADMIN_ROLE,)}
    assert await filled.read(lambda tx: tx.password_hash(ADMIN)) == "the hash"


async def test_the_five_default_roles_are_there(filled: Store) -> None:
    assert await filled.read(lambda tx: tuple(tx.roles(_item(tx)))) == DEFAULT_ROLES


async def test_the_lookups_are_those_of_a_new_item(filled: Store) -> None:
    def read(tx: Tx) -> list[list[tuple[str, int]]]:
        return [tx.lookups(_item(tx), kind) for kind in ("status", "priority", "percentComplete")]

    status, priority, percent = await filled.read(read)
    assert [name for name, _ in status][:2] == ["Created", "Ready"]
    assert [value for _, value in status] == list(range(1, 11))
    assert priority == [("Low", 0), ("Medium", 5), ("High", 10)]
    assert percent[-1] == ("XX-Large", 13)


async def test_the_searches_are_those_of_a_new_item(filled: Store) -> None:
    searches = await filled.read(lambda tx: tx.searches(_item(tx)))
    assert [(search.name, search.search_type, search.sort_index) for search in searches] == [
        ("My Jobs", "Standard", 1000),
        ("My Group Jobs", "Standard", 2000),
        ("All Jobs", "Standard", 3000),
        ("Job Type Chart", "Chart", 2000),
        ("Job Status Chart", "Chart", 2000),
        ("Job Priority Chart", "Chart", 3000),
    ]
    assert all(json.loads(search.definition or b"{}")["q"] for search in searches)
    assert {search.color_ramp for search in searches if search.search_type == "Chart"} == {"Default"}


async def test_the_introduction_has_what_a_tour_needs(filled: Store) -> None:
    diagram = (await filled.read(_introduction)).diagram
    check_activation(diagram)
    check_expressions(diagram)
    assert (diagram.version, len(diagram.steps), diagram.initial_step_id) == (1, 14, WELCOME)
    assert diagram.by_id[WELCOME].name == "Welcome"
    assert {step.kind for step in diagram.steps} == {
        StepKind.MANUAL,
        StepKind.QUESTION,
        StepKind.DEFINE_LOCATION,
        StepKind.ATTACHMENT,
        StepKind.OPEN_APP,
    }
    assert any(step.can_skip for step in diagram.steps)
    assert any(step.automatic and not step.asks and step.proceed_next for step in diagram.steps)
    assert all(
        path.expression and path.assigned_type is AssignedType.UNASSIGNED and path.assigned_to is None
        for step in diagram.steps
        for path in step.paths
    )


async def test_the_first_answer_of_the_introductions_question_leads_back(filled: Store) -> None:
    diagram = (await filled.read(_introduction)).diagram
    question = next(step for step in diagram.steps if step.kind is StepKind.QUESTION)
    back = next(path for path in question.paths if path.expression == "$retVal == 1")
    assert question.args["questionResponses"]["Yes"] == {"displayName": "Yes, once more", "value": 1, "order": 0}
    assert diagram.reaches(WELCOME, back.next_step)
    assert diagram.reaches(back.next_step, question.step_id)


async def test_three_ways_part_in_the_introduction_and_meet_again(filled: Store) -> None:
    diagram = (await filled.read(_introduction)).diagram
    fork = next(step for step in diagram.steps if len(step.paths) == 3)
    assert {path.expression for path in fork.paths} == {"$retVal == $stepSuccess"}
    ends = {path.next_step for branch in fork.paths for path in diagram.by_id[branch.next_step].paths}
    assert len(ends) == 1


async def test_the_introduction_can_be_drawn(filled: Store) -> None:
    body = json.loads((await filled.read(_introduction)).body)
    boxes = {}
    for step in body["steps"]:
        x, y, width, height = (int(part) for part in step["position"].split(","))
        boxes[step["id"]] = (x - width / 2, -y - height / 2, x + width / 2, -y + height / 2)
    for number, (name, one) in enumerate(boxes.items()):
        for other in list(boxes.values())[number + 1 :]:
            apart = one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
            assert apart, f"step {name} lies over another one"
    for step in body["steps"]:
        for path in step["paths"]:
            for point, box in ((path["points"][0], boxes[step["id"]]), (path["points"][-1], boxes[path["nextStep"]])):
                assert box[0] <= point["x"] <= box[2]
                assert box[1] <= point["y"] <= box[3]


async def test_active_templates_can_make_jobs(filled: Store) -> None:
    templates = await filled.read(lambda tx: tx.templates(_item(tx)))
    assert templates[0].template_id == TEMPLATE_ID
    assert {template.state for template in templates} == {"Active"}
    assert [template.name for template in templates[2:]] == ["Follow me", "Ask me first", "Regional report"]
    body = json.loads(templates[0].body)
    assert body["defaultAssignedTo"] == "JobCreator($job)"
    assert (body["defaultPriorityName"], body["defaultStatus"], body["defaultFinalStatus"]) == (
        "Low",
        "Ready",
        "Closed",
    )
    assert body["defaultJobDuration"] == 1
    for template in templates:
        found = await filled.read(lambda tx, wanted=template.diagram_id: tx.diagram(_item(tx), wanted))  # type: ignore[misc]
        assert found is not None
        assert found.diagram.version == 1


async def test_the_simple_review_goes_back_to_the_work_or_ends(filled: Store) -> None:
    def read(tx: Tx) -> DiagramRecord | None:
        wanted = tx.diagram_by_name(_item(tx), "Simple Review")
        return tx.diagram(_item(tx), wanted) if wanted else None

    record = await filled.read(read)
    assert record is not None
    check_activation(record.diagram)
    start = record.diagram.by_id[record.diagram.initial_step_id]
    assert record.diagram.reaches(start.step_id, start.step_id)


async def test_a_database_that_has_an_item_is_left_alone(filled: Store) -> None:
    before = await filled.read(lambda tx: (tx.items(), tx.users(), tx.signing_keys()))
    assert await filled.run(lambda tx: first_start(tx, PEOPLE)) is False
    assert await filled.read(lambda tx: (tx.items(), tx.users(), tx.signing_keys())) == before


async def test_of_two_first_starts_at_once_one_fills_the_database(store: Store) -> None:
    outcomes = await asyncio.gather(
        *(store.run(lambda tx: first_start(tx, PEOPLE)) for _ in range(2)), return_exceptions=True
    )
    assert True in outcomes
    assert all(outcome in (True, False) or isinstance(outcome, Conflict) for outcome in outcomes)
    assert len(await store.read(lambda tx: tx.items())) == 1
    assert len(await store.read(lambda tx: tx.users())) == 1
