"""Two nodes behave as one server: real processes on one PostgreSQL and one Redis."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

import httpx2
import pytest

from app.domain.access import ADMIN_ROLE
from app.services.engine import Unit
from app.services.ports import Group
from stepgate_client import Answer, AnswerRejected, Client
from stepgate_client.errors import ActionRefused, ConnectionFailed, PermissionDenied, SubscriptionEnded, Unavailable
from stepgate_client.messages import (
    JobState,
    Message,
    StepFinished,
    StepHeld,
    StepHoldReleased,
    StepInfoRequired,
    StepReassigned,
)
from tests.e2e.nodes import TAKEOVER_S, Nodes, open_nodes
from tests.e2e.walker import ITEM, ORG, Watcher, client_of, heard_the_same, make_template, right_answer, walk, watching
from tests.support import TcpProxy, deadline, eventually
from tests.support.world import step

pytestmark = pytest.mark.anyio

SEED = 20261125
PACE_S = 0.02
"""Between two actions of somebody who acts all the time."""

YES = Answer(manual_response=True)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with open_nodes(tmp_path_factory.mktemp("nodes")) as opened:
        yield opened


@pytest.fixture
def nodes(cluster: Nodes) -> Nodes:
    """Both nodes, running. Each test makes its own jobs and people."""
    cluster.start_missing()
    return cluster


@dataclass
class Pair:
    """A client on each node, a job, and a watcher of it on each."""

    a: Client
    b: Client
    job_id: str
    on_a: Watcher
    on_b: Watcher

    async def both(self, kind: type[Message], count: int) -> None:
        for watcher in (self.on_a, self.on_b):
            await watcher.next_of(kind, count)

    def check_feeds(self) -> None:
        """Both watchers have seen the same feed, each message once and in order."""
        assert self.on_a.seqs() == self.on_b.seqs() == list(range(1, len(self.on_a.seqs()) + 1))


@asynccontextmanager
async def pair_of(nodes: Nodes, template: str | None = None) -> AsyncIterator[Pair]:
    async with client_of(nodes.a) as a, client_of(nodes.b) as b:
        made = await (b.create_jobs(template) if template else b.create_jobs())
        job_id = made.job_ids[0]
        async with watching(a, job_id) as on_a, watching(b, job_id) as on_b:
            yield Pair(a, b, job_id, on_a, on_b)


async def test_a_job_is_walked_to_its_end_with_answers_through_one_node_and_actions_through_the_other(
    nodes: Nodes,
) -> None:
    async with pair_of(nodes) as pair:
        first = (await pair.b.get_job(pair.job_id)).current_steps[0].step_id
        await pair.b.hold(pair.job_id, first)
        await pair.on_a.next_of(StepHeld)
        await pair.a.release_hold(pair.job_id, first)
        await pair.on_b.next_of(StepHoldReleased)
        await pair.b.assign(pair.job_id, first, user="admin")
        for watcher in (pair.on_a, pair.on_b):
            assert (await watcher.next_of(StepReassigned)).assigned_to == "admin"

        async def answer(prompt: StepInfoRequired) -> None:
            verdict = await pair.a.answer(pair.job_id, prompt.step_id, right_answer(prompt, None))
            assert verdict.stage == "applied"

        left = await walk(pair.b, pair.on_a, pair.job_id, answer=answer)
        assert left[-1] == "The end"
        await heard_the_same(pair.on_a, pair.on_b)
        pair.check_feeds()
        kinds = [type(message).__name__ for message in pair.on_b.messages]
        assert {"StepHeld", "StepReassigned", "StepFinished"} <= set(kinds)


async def test_a_token_of_one_node_works_on_the_other(nodes: Nodes) -> None:
    token = await asyncio.to_thread(nodes.a.token)
    async with Client(nodes.b.url, token=token) as client:
        job_id = (await client.create_jobs()).job_ids[0]
    async with client_of(nodes.a) as client:
        assert (await client.get_job(job_id)).job_id == job_id


async def test_the_bytes_of_an_attachment_written_through_one_node_are_read_through_the_other(nodes: Nodes) -> None:
    data = random.Random(SEED).randbytes(600_000)
    headers = {"Authorization": f"Bearer {await asyncio.to_thread(nodes.a.token)}"}
    async with client_of(nodes.a) as client, httpx2.AsyncClient(headers=headers) as http:
        job_id = (await client.create_jobs()).job_ids[0]
        path = f"/{ORG}/{ITEM}/jobs/{job_id}/attachments"
        made = (await http.post(nodes.a.url + path, files={"attachment": ("roof.jpg", data)})).json()
        attachment_id = made["url"].rpartition("/")[2]
        for node in (nodes.b, nodes.a):
            answer = await http.get(f"{node.url}{path}/{attachment_id}")
            assert answer.status_code == 200
            assert answer.content == data


async def test_an_answer_to_a_question_whose_node_was_killed_finishes_the_step_once(nodes: Nodes) -> None:
    template = await make_template(nodes.a, [step("only")])
    async with client_of(nodes.a) as a, client_of(nodes.b) as b:
        job_id = (await a.create_jobs(template)).job_ids[0]
        async with watching(b, job_id) as watcher:
            await a.run(job_id)
            await watcher.next_of(StepInfoRequired)
            nodes.a.kill9()
            stages = [verdict.stage async for verdict in b.answer_stages(job_id, "only", YES)]
            assert stages == ["stored", "applied"]
            await watcher.next_of(StepFinished, seconds=TAKEOVER_S)
        history = await b.history(job_id)
    assert len(watcher.of(StepFinished)) == 1
    assert watcher.seqs() == list(range(1, len(watcher.seqs()) + 1))
    assert [line.action for line in history].count("Completed") == 1


async def test_an_answer_that_was_stored_just_before_its_node_was_killed_finishes_the_step_once(nodes: Nodes) -> None:
    """The owner is frozen before the answer is stored, so it is certain that it has not applied it when it dies."""
    template = await make_template(nodes.a, [step("only")])
    async with client_of(nodes.a) as a, client_of(nodes.b) as b:
        job_id = (await a.create_jobs(template)).job_ids[0]
        async with watching(b, job_id) as watcher:
            await a.run(job_id)
            await watcher.next_of(StepInfoRequired)
            nodes.a.freeze()
            stages = b.answer_stages(job_id, "only", YES)
            assert (await anext(stages)).stage == "stored"
            nodes.a.kill9()
            assert (await anext(stages)).stage == "applied"
            await watcher.next_of(StepFinished, seconds=TAKEOVER_S)
    assert len(watcher.of(StepFinished)) == 1
    assert watcher.seqs() == list(range(1, len(watcher.seqs()) + 1))


async def test_a_node_that_was_frozen_longer_than_its_lease_starts_anew_and_serves_on(nodes: Nodes) -> None:
    template = await make_template(nodes.a, [step("only")])
    async with client_of(nodes.a) as a, client_of(nodes.b) as b:
        lost, later = (await a.create_jobs(template, number_of_jobs=2)).job_ids
        async with watching(a, lost, later) as watcher:
            await a.run(lost)
            await watcher.next_of(StepInfoRequired)
            nodes.a.freeze()
            try:
                assert (await b.answer(lost, "only", YES)).stage == "applied"
            finally:
                nodes.a.thaw()
            await watcher.next_of(StepFinished)
            await eventually(lambda: "has lost its lease" in nodes.a.log)
            await a.run(later)
            await watcher.next_of(StepInfoRequired, 2)
            assert (await b.answer(later, "only", YES)).stage == "applied"
            await watcher.next_of(StepFinished, 2)


async def add_ana(nodes: Nodes, name: str) -> str:
    """Add a user whose one group has the role of administrators, and put admin into that group; returns its id."""
    group_id = f"group-of-{name}".ljust(22, "x")[:22]

    def add(unit: Unit) -> None:
        unit.tx.add_user(name, None)
        unit.tx.add_group(Group(group_id, f"{name}'s"))
        for member in (name, "admin"):
            unit.tx.set_member(member, group_id, True)
        unit.tx.link_role(unit.item, group_id, ADMIN_ROLE, True)
        unit.tx.bump_access(unit.item)

    await nodes.change(add)
    return group_id


async def test_of_two_people_who_answer_through_different_nodes_at_once_one_is_told_already_answered(
    nodes: Nodes,
) -> None:
    rounds, rng = 12, random.Random(SEED)
    group = await add_ana(nodes, "ana")
    template = await make_template(
        nodes.a, [step("only", automatic=True)], defaultAssignedType="Group", defaultAssignedTo=group
    )

    async def answer_after(client: Client, job_id: str, pause_s: float) -> object:
        await asyncio.sleep(pause_s)
        return (await client.answer(job_id, "only", YES)).stage

    async with client_of(nodes.a, "ana") as ana, client_of(nodes.b) as admin:
        jobs = [
            *(await ana.create_jobs(template, number_of_jobs=rounds // 2)).job_ids,
            *(await admin.create_jobs(template, number_of_jobs=rounds // 2)).job_ids,
        ]
        for job_id in jobs:
            results = await asyncio.gather(
                answer_after(ana, job_id, rng.random() / 200),
                answer_after(admin, job_id, rng.random() / 200),
                return_exceptions=True,
            )
            rejected = [result for result in results if isinstance(result, AnswerRejected)]
            assert [error.reason for error in rejected] == ["already_answered"], results
            assert "applied" in results, results
            assert (await admin.get_job(job_id)).current_steps == []


async def test_whose_role_is_taken_away_hears_no_more_on_any_node(nodes: Nodes) -> None:
    group = await add_ana(nodes, "eva")
    async with client_of(nodes.a) as admin, client_of(nodes.b, "eva") as eva:
        job_id = (await admin.create_jobs()).job_ids[0]
        async with eva.notifications(job_id) as messages:
            assert isinstance(await anext(messages), JobState)
            await admin.hold(job_id)
            assert isinstance(await anext(messages), StepHeld)
            await nodes.change(lambda unit: _take_role(unit, group))
            with pytest.raises((SubscriptionEnded, PermissionDenied)):
                async with asyncio.timeout(deadline(3)):
                    await anext(messages)
        with pytest.raises(PermissionDenied):
            await eva.get_job(job_id)


def _take_role(unit: Unit, group: str) -> None:
    unit.tx.link_role(unit.item, group, ADMIN_ROLE, False)
    unit.tx.bump_access(unit.item)
    unit.effects.access_changed = True


async def test_while_redis_is_away_each_node_serves_its_own_and_afterwards_both_have_the_whole_feed(
    nodes: Nodes,
) -> None:
    template = await make_template(nodes.a, [step("only")])
    async with pair_of(nodes, template) as pair:
        await pair.a.hold(pair.job_id)
        await pair.both(StepHeld, 1)
        nodes.redis.kill9()
        await pair.a.release_hold(pair.job_id)
        await pair.b.hold(pair.job_id)
        await pair.both(StepHeld, 2)
        await asyncio.to_thread(nodes.redis.start)
        await pair.a.release_hold(pair.job_id)
        await pair.b.run(pair.job_id)
        verdict = await pair.a.answer(pair.job_id, "only", YES)
        assert verdict.stage == "applied"
        await pair.both(StepFinished, 1)
        pair.check_feeds()


async def test_nodes_that_are_restarted_one_after_the_other_lose_no_message_and_no_client(nodes: Nodes) -> None:
    """Four clients behind a proxy that knows nothing of nodes, and one that acts all the time."""
    template = await make_template(nodes.a, [step("only")])
    async with TcpProxy([nodes.a.port, nodes.b.port]) as proxy:
        token = await asyncio.to_thread(nodes.a.token)
        clients = [Client(proxy.url, token=token) for _ in range(5)]
        actor, *others = clients
        job_id, asked = (await actor.create_jobs(template, number_of_jobs=2)).job_ids
        await actor.run(asked)
        try:
            async with (
                watching(others[0], job_id) as one,
                watching(others[1], job_id) as two,
                watching(others[2], job_id) as three,
                watching(others[3], job_id) as four,
            ):
                enough = asyncio.Event()
                acting = asyncio.create_task(hold_and_release(actor, job_id, enough))
                for node in (nodes.a, nodes.b):
                    await asyncio.to_thread(node.restart)
                enough.set()
                acknowledged = await acting
                last = (await others[0].job_state(job_id)).seq or 0
                assert last >= acknowledged > 0
                for watcher in (one, two, three, four):
                    await watcher.until(partial(has_all, watcher, last), 5)
                    assert watcher.seqs() == list(range(1, last + 1))
                    assert all(state.recovered for state in watcher.of(JobState)[1:])
                assert any(len(watcher.of(JobState)) > 1 for watcher in (one, two, three, four))
            assert (await others[1].answer(asked, "only", YES)).stage == "applied"
        finally:
            for client in clients:
                await client.close()


def has_all(watcher: Watcher, last: int) -> bool:
    return watcher.seqs()[-1:] == [last]


async def hold_and_release(client: Client, job_id: str, enough: asyncio.Event) -> int:
    """Act until it is enough; returns how many actions were acknowledged.

    A request whose node ends may have been carried out or not, so the next one may be refused.
    """
    count = 0
    while not enough.is_set():
        for act in (client.hold, client.release_hold):
            with suppress(ConnectionFailed, Unavailable, ActionRefused):
                await act(job_id)
                count += 1
            await asyncio.sleep(PACE_S)
    return count
