"""A node whose clock is set while it runs: leases and holds go by the database's clock, and notice nothing.

libfaketime shows one process another time of day. Its monotonic clock is left alone, as it is when a real clock is set.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx2
import psycopg
import pytest

from stepgate_client import Answer
from stepgate_client.messages import StepHoldReleased, StepInfoRequired
from tests.e2e.nodes import RENEW_S, Nodes, open_nodes
from tests.e2e.walker import client_of, make_template, watching
from tests.support import eventually
from tests.support.world import step

pytestmark = pytest.mark.anyio

HOUR_S = 3_600
LEASE_S = 60.0
"""Long enough that no pause of the machine costs a lease, and short beside an hour."""


@dataclass
class Clock:
    """The clock of node ``a``."""

    file: Path
    nodes: Nodes

    async def set(self, offset_s: int) -> None:
        """Let it differ from the machine's by so much, and wait until the process sees it."""
        self.file.write_text(f"{offset_s:+d}")
        async with httpx2.AsyncClient(base_url=self.nodes.a.url) as http:

            async def is_seen() -> bool:
                date = parsedate_to_datetime((await http.get("/healthz")).headers["date"])
                return abs(date.timestamp() - time.time() - offset_s) < HOUR_S / 2

            await eventually(is_seen)


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[Clock]:
    """Two nodes, of which ``a`` has a clock that can be set."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    file = tmp_path / "offset"
    file.write_text("+0")
    own_clock = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with open_nodes(tmp_path, [own_clock, {}], lease_s=LEASE_S) as nodes:
        yield Clock(file, nodes)


async def test_no_lease_is_lost_and_no_hold_ends_early_whatever_a_nodes_clock_shows(clock: Clock) -> None:
    nodes = clock.nodes
    template = await make_template(nodes.a, [step("only")])
    async with client_of(nodes.a) as a, client_of(nodes.b) as b:
        before = set(leases(nodes))
        for offset_s in (HOUR_S, -HOUR_S):
            job_id, asked = (await a.create_jobs(template, number_of_jobs=2)).job_ids
            await clock.set(offset_s)
            set_ms = time.time() * 1000
            async with watching(a, job_id, asked) as watcher:
                until = datetime.now(UTC) + timedelta(seconds=1)
                until -= timedelta(microseconds=until.microsecond % 1000)
                await (b if offset_s > 0 else a).hold(job_id, until=until)
                released = await watcher.next_of(StepHoldReleased)
                assert released.released_by == "system"
                assert datetime.now(UTC) >= until
                await a.run(asked)
                await watcher.next_of(StepInfoRequired)
                assert (await b.answer(asked, "only", Answer(manual_response=True))).stage == "applied"
            renewed_ms = set_ms + (LEASE_S + 2 * RENEW_S) * 1000
            await eventually(lambda: min(leases(nodes).values()) > renewed_ms, expected_s=2)  # noqa: B023 - awaited here
            assert max(leases(nodes).values()) <= time.time() * 1000 + LEASE_S * 1000
        assert set(leases(nodes)) == before
        assert len(before) == 2
    for log in (nodes.a.log, nodes.b.log):
        assert "has lost its lease" not in log
        assert "took over" not in log


def leases(nodes: Nodes) -> dict[str, int]:
    """Until when each node has its lease, in milliseconds of the database's clock."""
    with psycopg.connect(nodes.database_url) as connection:
        return dict(connection.execute("SELECT node_id, lease_until_ms FROM node").fetchall())
