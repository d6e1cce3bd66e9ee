"""How many job actions a second the store commits: ``python -m tests.benchmarks.bench_store [POSTGRES_URL]``.

One action is what the engine does for Finish without its rules: read the item, lock the job, look the diagram up, save
the job with its new step, write two feed rows and one line of history. 64 are in flight over 1,000 jobs. Without a URL
it runs on a fresh SQLite file.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from app.domain.diagram import Diagram, Step
from app.domain.job import Assignment, CurrentStep, Flow, Job
from app.services.ports import DiagramRecord, FeedMessage, HistoryEntry, Item, Tx
from app.store.migrate import migrate
from app.store.postgres import PostgresStore
from app.store.sqlite import SqliteStore

JOBS = 1000
IN_FLIGHT = 64
SECONDS = 5.0
BODY = b'{"msgType":"StepHeld","timestamp":1700000000000,"seq":123456,"message":{"jobId":"AWJU2U6o3PFyCS7Xe5xJ"}}' * 2


def parse_diagram(body: bytes, *, diagram_id: str, version: int) -> Diagram:
    """Stand in for the real reader, whose result is cached anyway."""
    return Diagram(diagram_id, body.decode(), version, (Step("a", "A"),), "a")


def prepare(tx: Tx) -> Item:
    """Make an item, a diagram and the jobs."""
    item = tx.add_item("bench", "workflow", "Bench")
    tx.put_diagram(item, DiagramRecord(parse_diagram(b"D", diagram_id="d", version=1), b"D", None, 0, "me"))
    for number in range(JOBS):
        step = CurrentStep("step-0", "v", Assignment(), 0)
        job = Job(f"job-{number}", "Job", "t", "T", "d", "D", 1, "me", "me", 0, "New", "High", flow=Flow(steps=(step,)))
        tx.add_job(item, job)
    return item


def act(job_id: str, tx: Tx) -> None:
    """Carry out one action."""
    item = tx.item("workflow", "bench")
    if item is None:
        raise LookupError("the benchmark's item is gone")
    record = tx.lock_jobs(item, [job_id])[job_id]
    tx.diagram(item, "d", 1)
    now = tx.now_ms()
    step = CurrentStep(f"step-{record.seq % 7}", "v", Assignment(), now)
    record.job = replace(record.job, flow=replace(record.job.flow, steps=(step,)))
    first = record.seq + 1
    record.seq += 2
    tx.save_job(record)
    tx.append_feed(record, [FeedMessage("bench", job_id, first + n, "StepFinished", now, BODY) for n in (0, 1)])
    tx.append_history(record, [HistoryEntry("StepFinished", "me", now, step.step_id)])


async def drive(run: Callable[[Callable[[Tx], None]], Awaitable[None]], worker: int, until: float) -> list[float]:
    """Act on this worker's share of the jobs, one after the other; return each action's seconds."""
    taken: list[float] = []
    number = worker
    while (begin := time.perf_counter()) < until:
        await run(partial(act, f"job-{number % JOBS}"))
        taken.append(time.perf_counter() - begin)
        number += IN_FLIGHT
    return taken


async def measure(store: SqliteStore | PostgresStore) -> None:
    """Print actions a second and latencies."""
    await store.open()
    await store.run(prepare)
    begin = time.perf_counter()
    shares = await asyncio.gather(*(drive(store.run, worker, begin + SECONDS) for worker in range(IN_FLIGHT)))
    elapsed = time.perf_counter() - begin
    await store.close()
    taken = sorted(seconds for share in shares for seconds in share)
    p50, p99 = (taken[int(len(taken) * part)] * 1000 for part in (0.5, 0.99))
    print(f"{type(store).__name__}: {len(taken) / elapsed:,.0f} actions/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms")


async def main() -> None:
    """Measure the database named on the command line, or SQLite."""
    if len(sys.argv) > 1:
        await migrate(sys.argv[1])
        await measure(PostgresStore(sys.argv[1], parse_diagram))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.db"
        await migrate(f"sqlite:///{path}")
        await measure(SqliteStore(path, parse_diagram))


if __name__ == "__main__":
    asyncio.run(main())
