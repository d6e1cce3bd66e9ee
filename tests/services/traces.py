"""What a job has left in the database: compared before and after a call that was refused."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.errors import GatewayError
from app.services.engine import Unit
from tests.support.world import World


async def trace(world: World, job_id: str) -> tuple[Any, ...]:
    """The whole job: its record, feed, history, holds, comments, properties, related rows."""

    def read(unit: Unit) -> tuple[Any, ...]:
        tx, record = unit.tx, unit.tx.job(unit.item, job_id)
        assert record is not None, f"there is no job {job_id}"
        beside = (
            tx.history(record),
            tx.holds(record),
            tx.comments(record),
            tx.properties(record),
            tx.related_rows(record),
        )
        return (record, tx.feed(unit.item, job_id, 0), *beside, tx.next_timer_ms("me"))

    return await world.query(read)


@asynccontextmanager
async def refused(
    world: World, job_id: str, error: type[GatewayError], *, match: str | None = None, name: str | None = None
) -> AsyncIterator[None]:
    """The block raises ``error``, and leaves no trace in the job."""
    before, told = await trace(world, job_id), len(world.ear.messages)
    with pytest.raises(error, match=match) as raised:
        yield
    assert type(raised.value) is error
    assert raised.value.name == (name or error.__name__)
    assert await trace(world, job_id) == before
    assert len(world.ear.messages) == told
