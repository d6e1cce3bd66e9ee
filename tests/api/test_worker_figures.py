"""Figures of several workers as one: added up, and never backwards."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from app.api.worker_figures import WorkerFigures


def counted(value: float, **by: str) -> Metric:
    family = CounterMetricFamily("stepgate_things", "Things.", labels=sorted(by))
    family.add_metric([by[name] for name in sorted(by)], value, created=1.0)
    return family


def now(name: str, value: float) -> Metric:
    return GaugeMetricFamily(name, "Now.", value=value)


def shown(metrics: Iterable[Metric]) -> dict[tuple[str, str], float]:
    """By the sample's name and its labels' values."""
    return {(s.name, " ".join(s.labels.values())): s.value for metric in metrics for s in metric.samples}


def test_counters_and_gauges_of_all_workers_are_added_up(tmp_path: Path) -> None:
    one, two = WorkerFigures(tmp_path, 1), WorkerFigures(tmp_path, 2)
    one.write([counted(3, type="Run"), counted(1, type="Hold"), now("stepgate_sessions", 5)])
    two.write([counted(4, type="Run"), now("stepgate_sessions", 7)])
    for worker in (one, two):
        assert shown(worker.of_all()) == {
            ("stepgate_things_total", "Run"): 7,
            ("stepgate_things_total", "Hold"): 1,
            ("stepgate_sessions", ""): 12,
        }


def test_durations_are_not_added_up_but_the_longest_is_shown(tmp_path: Path) -> None:
    for number, value in ((1, 0.5), (2, 2.0), (3, 1.0)):
        WorkerFigures(tmp_path, number).write([now("stepgate_round_trip_seconds", value)])
    assert shown(WorkerFigures(tmp_path, 4).of_all()) == {("stepgate_round_trip_seconds", ""): 2.0}


def test_histograms_are_added_up_bucket_by_bucket(tmp_path: Path) -> None:
    buckets = [("0.1", 2.0), ("+Inf", 3.0)]
    for number in (1, 2):
        WorkerFigures(tmp_path, number).write([HistogramMetricFamily("s", "S.", buckets=buckets, sum_value=1.5)])
    assert shown(WorkerFigures(tmp_path, 3).of_all()) == {
        ("s_bucket", "0.1"): 4,
        ("s_bucket", "+Inf"): 6,
        ("s_count", ""): 6,
        ("s_sum", ""): 3,
    }


def test_no_counter_goes_backwards_when_workers_die_and_others_take_their_place(tmp_path: Path) -> None:
    """Three lives of worker 1 beside one of worker 2; whoever is asked, what was shown once is never undercut."""
    two = WorkerFigures(tmp_path, 2)
    two.write([counted(10)])
    highest = 0.0
    for _ in range(3):
        one = WorkerFigures(tmp_path, 1)
        for value in (0, 1, 5):
            one.write([counted(value), now("stepgate_sessions", value)])
            for worker in (one, two):
                total = shown(worker.of_all())["stepgate_things_total", ""]
                assert total >= highest
                highest = total
    assert highest == 10 + 3 * 5
    assert shown(two.of_all())["stepgate_sessions", ""] == 5, "gauges are of the present life alone"


def test_what_was_open_in_a_worker_that_is_gone_counts_no_more_and_its_counters_do(tmp_path: Path) -> None:
    words = (
        "import sys; from pathlib import Path; from app.api.worker_figures import WorkerFigures;"
        "from tests.api.test_worker_figures import counted, now;"
        "WorkerFigures(Path(sys.argv[1]), 1).write([counted(3), now('stepgate_sessions', 5)])"
    )
    subprocess.run([sys.executable, "-c", words, tmp_path], check=True, cwd=Path(__file__).parents[2])
    assert shown(WorkerFigures(tmp_path, 2).of_all()) == {("stepgate_things_total", ""): 3}


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_figure_that_is_no_number_does_no_harm(tmp_path: Path, value: float) -> None:
    worker = WorkerFigures(tmp_path, 1)
    worker.write([now("stepgate_ratio", value), counted(1)])
    assert shown(worker.of_all())["stepgate_things_total", ""] == 1


def test_a_file_is_whole_whenever_it_is_read(tmp_path: Path) -> None:
    """A worker that is killed while it writes leaves what it wrote before."""
    worker = WorkerFigures(tmp_path, 1)
    worker.write([counted(1)])
    (tmp_path / "worker-1.part").write_bytes(msgspec.msgpack.encode("half"))
    assert shown(worker.of_all()) == {("stepgate_things_total", ""): 1}
