"""``make bench``: measure Stepgate beside its yardsticks, in turn, and report medians and ratios.

Each round measures every contender once, so that a machine that grows slower does so for all of them. The databases
are in the project's ``build`` folder: a temporary folder may be memory, where a commit costs nothing.
"""

import argparse
import asyncio
import shutil
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.benchmarks import bench_search, report
from tests.benchmarks.gateway import Gateway, gateway, recorded_actions, replayed
from tests.benchmarks.round_trip import question_round_trips, two_changes
from tests.benchmarks.tools import ROOT, Load, Target, c_floor, durable_floor

ROUNDS = 5
SUBSCRIBERS = 1000
FANOUT = {1: 300, 64: 3000}  # publishers: requests of one round
FLUSH_MS = {1: 0.0, 64: 2.0}  # publishers: how long the durable floor merges; each is its better way
JOBS = 1000
ACTIONS = 4000
PUBLISHERS = 64
QUESTIONS = 200

STEPGATE, DURABLE, BARE, BARE_SQL = "Stepgate", "durable floor", "C floor", "bare sqlite3"


@dataclass(frozen=True, slots=True)
class Contenders:
    """Everything that is measured, running."""

    load: Load
    stepgate: Gateway
    durable: dict[int, Target]
    bare: Target
    fanout: Target
    actions: Target
    written: Callable[[], float]
    """Carries out once more what the store writes for ``ACTIONS`` actions; gives the seconds."""


class Results:
    """Values by figure and contender, in the order they were first added."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._values: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, figure: str, unit: str, contender: str, value: float) -> None:
        """Add one round's value."""
        self._values[figure, unit][contender].append(value)

    def lines(self) -> list[report.Line]:
        """The lines of the report."""
        return [report.Line(figure, unit, values) for (figure, unit), values in self._values.items()]


def measure_fanout(contenders: Contenders, results: Results) -> None:
    """Deliveries to the subscribers of one job, and how late the last of them hears."""
    for publishers, count in FANOUT.items():
        targets = {STEPGATE: contenders.fanout, DURABLE: contenders.durable[publishers], BARE: contenders.bare}
        for name, target in targets.items():
            figures = contenders.load(target, subscribers=SUBSCRIBERS, publishers=publishers, count=count)
            what = f"fan-out to {SUBSCRIBERS:,}, {publishers} publisher{'s' if publishers > 1 else ''}"
            results.add(what, "deliveries/s", name, figures["deliveries_per_s"])
            results.add(f"{what}: until the last has it, p50", "ms", name, figures["last_p50_ms"])
            results.add(f"{what}: until the last has it, p99", "ms", name, figures["last_p99_ms"])


def measure_actions(contenders: Contenders, results: Results) -> None:
    """Hold and ReleaseHold over REST, nobody listening; the yardsticks are one change of the durable floor, and the
    statements of the same actions on bare sqlite3, one after the other."""
    for name, target in {STEPGATE: contenders.actions, DURABLE: contenders.durable[1]}.items():
        figures = contenders.load(target, subscribers=0, publishers=PUBLISHERS, count=ACTIONS)
        what = f"durable actions over {JOBS:,} jobs, {PUBLISHERS} connections"
        results.add(what, "actions/s", name, figures["requests_per_s"])
        results.add(f"{what}: answered, p50", "ms", name, figures["answer_p50_ms"])
        results.add(f"{what}: answered, p99", "ms", name, figures["answer_p99_ms"])
    results.add(
        f"durable actions over {JOBS:,} jobs, {PUBLISHERS} connections",
        "actions/s",
        BARE_SQL,
        ACTIONS / contenders.written(),
    )


def measure_questions(contenders: Contenders, results: Results) -> None:
    """Run, question, answer, finished; the yardstick is two changes of the durable floor, each heard of."""
    jobs, step_id = contenders.stepgate.jobs_at_a_question(QUESTIONS)
    target = contenders.stepgate.questions_target()
    times = {
        STEPGATE: asyncio.run(question_round_trips(target, jobs, step_id, contenders.stepgate.run)),
        DURABLE: asyncio.run(two_changes(contenders.durable[1], QUESTIONS)),
    }
    for name, seconds in times.items():
        results.add("question round trip, p50", "ms", name, statistics.median(seconds) * 1e3)
        results.add("question round trip, p99", "ms", name, statistics.quantiles(seconds, n=100)[98] * 1e3)


def measure_search(jobs: int, postgres: str | None, results: Results) -> None:
    """Pages of jobs; the yardstick is the same statements on bare sqlite3 (`bench_search.py`)."""
    for shape, contenders in bench_search.run(jobs, postgres).items():
        for name, ms in contenders.items():
            results.add(f"{jobs:,} jobs, {shape}, p50", "ms", name, statistics.median(ms))
            results.add(f"{jobs:,} jobs, {shape}, p95", "ms", name, bench_search.percentile(ms, 0.95))


MEASUREMENTS = {"fanout": measure_fanout, "actions": measure_actions, "questions": measure_questions}


@contextmanager
def contenders(folder: Path) -> Iterator[Contenders]:
    """Start everything; each contender sleeps while another is measured."""
    load = Load(folder)
    before, sent = recorded_actions(folder / "recorded", load, JOBS, ACTIONS, PUBLISHERS)
    with ExitStack() as stack:
        stepgate = stack.enter_context(gateway(folder))
        jobs = stepgate.create_jobs(JOBS)
        yield Contenders(
            load=load,
            written=partial(replayed, before, sent),
            stepgate=stepgate,
            durable={n: stack.enter_context(durable_floor(folder, flush_ms)) for n, flush_ms in FLUSH_MS.items()},
            bare=stack.enter_context(c_floor(folder)),
            fanout=stepgate.fanout_target(stepgate.create_jobs(1)[0]),
            actions=stepgate.actions_target(jobs),
        )


def main() -> None:
    """Read the options, measure, print the table and write the report."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds; the report gives their medians")
    parser.add_argument(
        "--only", choices=[*MEASUREMENTS, "search"], action="append", help="measure only this; may be repeated"
    )
    parser.add_argument("--jobs", type=int, default=bench_search.JOBS, help="jobs to search; --only search asks for it")
    parser.add_argument("--postgres", metavar="URL", help="search this empty PostgreSQL database as well")
    parser.add_argument("--no-report", action="store_true", help="print the table, write no file")
    options = parser.parse_args()
    folder = _scratch_folder()
    try:
        names = options.only or list(MEASUREMENTS)
        results = _measure(folder, options.rounds, [name for name in names if name != "search"])
        if "search" in names:
            measure_search(options.jobs, options.postgres, results)
    finally:
        shutil.rmtree(folder)
    report.show(results.lines())
    if not options.no_report:
        print(
            f"Written to {report.write(results.lines(), ROOT / 'docs' / 'reports', options.rounds).relative_to(ROOT)}"
        )


def _measure(folder: Path, rounds: int, names: list[str]) -> Results:
    results = Results()
    if not names:
        return results
    with contenders(folder) as running:
        for number in range(1, rounds + 1):
            for name in names:
                print(f"round {number} of {rounds}: {name}", flush=True)
                MEASUREMENTS[name](running, results)
    return results


def _scratch_folder() -> Path:
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="bench-", dir=build))


if __name__ == "__main__":
    main()
