"""The load generator and the yardsticks do what they say; their figures are for `make bench`, not for here."""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.benchmarks import bench_search, report, run
from tests.benchmarks.gateway import recorded_actions, replayed
from tests.benchmarks.round_trip import two_changes
from tests.benchmarks.tools import Load, Request, Target, c_floor, durable_floor


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scratch folder of this module's programs and databases."""
    return tmp_path_factory.mktemp("benchmarks")


@pytest.fixture(scope="module")
def load(folder: Path) -> Load:
    """The load generator, compiled without a warning."""
    return Load(folder)


@pytest.fixture(scope="module")
def bare(folder: Path) -> Iterator[Target]:
    """The bare C loop, running."""
    with c_floor(folder) as target:
        yield target


@pytest.fixture(scope="module")
def durable(folder: Path) -> Iterator[Target]:
    """The cheapest durable gateway, merging messages of 2 ms."""
    with durable_floor(folder, flush_ms=2) as target:
        yield target


@pytest.mark.parametrize("publishers", [1, 8])
@pytest.mark.parametrize("floor", ["bare", "durable"])
def test_every_subscriber_gets_every_message(
    load: Load, floor: str, publishers: int, request: pytest.FixtureRequest
) -> None:
    figures = load(request.getfixturevalue(floor), subscribers=50, publishers=publishers, count=40)
    assert figures["deliveries"] == 50 * 40
    assert 0 < figures["last_p50_ms"] <= figures["last_p99_ms"]


def test_requests_are_measured_without_subscribers(load: Load, durable: Target) -> None:
    figures = load(durable, subscribers=0, publishers=8, count=100)
    assert figures["deliveries"] == 0
    assert figures["requests_per_s"] == pytest.approx(100 / figures["seconds"], rel=0.01)
    assert 0 < figures["answer_p50_ms"] <= figures["answer_p99_ms"]


def test_a_refused_request_is_no_measurement(load: Load, durable: Target) -> None:
    nowhere = replace(durable, requests=[Request("/pub"), Request("/nowhere")])
    with pytest.raises(RuntimeError, match="404"):
        load(nowhere, subscribers=0, publishers=1, count=2)


def test_an_answer_without_the_expected_text_is_no_measurement(load: Load, durable: Target) -> None:
    with pytest.raises(RuntimeError, match=r"a request was answered: HTTP/1\.1 200"):
        load(replace(durable, expect='"success":true'), subscribers=0, publishers=1, count=1)


def test_a_refused_websocket_is_no_measurement(load: Load, durable: Target) -> None:
    with pytest.raises(RuntimeError, match=r"the upgrade was refused: HTTP/1\.1 403"):
        load(replace(durable, websocket_path="/nowhere"), subscribers=1, publishers=1, count=1)


@pytest.mark.anyio
async def test_the_yardstick_of_a_round_trip_is_measured_per_round_trip(durable: Target) -> None:
    times = await two_changes(durable, 5)
    assert len(times) == 5
    assert min(times) > 0.004  # two flushes of 2 ms


def test_a_report_gives_medians_and_ratios_to_each_yardstick(tmp_path: Path) -> None:
    line = report.Line("fan-out", "deliveries/s", {"Stepgate": [100.0, 300.0, 200.0], "floor": [400.0, 250.0, 100.0]})
    path = report.write([line], tmp_path, rounds=3)
    assert re.fullmatch(r"bench-\d{4}-\d\d-\d\d-\d{4}\.md", path.name)
    text = path.read_text()
    assert "| fan-out | Stepgate | 200 deliveries/s | 100 to 300 | 1.00 |" in text
    assert "| fan-out | floor | 250 deliveries/s | 100 to 400 | 0.80 |" in text
    assert "Medians of 3 rounds" in text


def test_searches_are_measured_beside_their_own_statements(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench_search, "ASKED", 1)
    monkeypatch.setattr(bench_search, "ASKED_OTHERS", 1)
    results = run.Results()
    run.measure_search(300, None, results)
    lines = {line.figure: line.values for line in results.lines()}
    assert len(lines) == 2 * len(bench_search.SHAPES)
    assert lines["300 jobs, open and overdue, by due, p95"].keys() == {"Stepgate", "bare sqlite3"}
    assert "300 jobs written in" in capsys.readouterr().out


def test_what_a_server_writes_for_actions_is_recorded_and_does_the_same_again(folder: Path, load: Load) -> None:
    before, sent = recorded_actions(folder / "recorded", load, jobs=4, count=8, publishers=2)
    assert replayed(before, sent) > 0

    def holds(path: Path) -> list[tuple[int, bool]]:
        connection = sqlite3.connect(path)
        rows = connection.execute("SELECT job_key, released_ms IS NULL FROM hold ORDER BY key").fetchall()
        connection.close()
        return rows

    assert holds(before) == []
    assert holds(before.with_name("replay.db")) == holds(before.parent / "data" / "stepgate.db")
    assert [waits for _, waits in holds(before.with_name("replay.db"))] == [False] * 4
