"""The figures of several workers as one: each keeps its own in a file of a private folder, and any of them adds all up.

What is promised: a counter never goes backwards, also when a worker dies and another takes its place. So a worker goes
on counting where its predecessor's file ends, and writes its file before it shows anybody a figure of its own. Gauges
(what is open now) are added up over the workers that live; of those in seconds the longest is shown. Of the others one
hears up to a second late, and what a worker had counted in its last second before it was killed is lost.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
from prometheus_client.metrics_core import Metric

_GAUGE: Final = "gauge"


class _Family(msgspec.Struct):
    """Samples of one name: what each is called, its labels, its value."""

    name: str
    documentation: str
    type: str
    samples: list[tuple[str, dict[str, str], float]]


class _File(msgspec.Struct):
    pid: int
    families: list[_Family]


class WorkerFigures:
    """What one worker knows of the figures of all.

    Args:
        folder: the same for all workers, and nobody else's.
        number: of this worker; its predecessors had the same.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self._folder = folder
        self._own = folder / f"worker-{number}.figures"
        before = _read(self._own)
        self._before = [family for family in before.families if family.type != _GAUGE] if before else []

    def write(self, metrics: Iterable[Metric]) -> None:
        """Keep this worker's figures as they are now."""
        families = _added_up([*self._before, *map(_family, metrics)])
        part = self._own.with_suffix(".part")
        part.write_bytes(msgspec.msgpack.encode(_File(os.getpid(), families)))
        part.replace(self._own)

    def of_all(self) -> list[Metric]:
        """The figures of all workers, as they last wrote them."""
        files = [file for path in sorted(self._folder.glob("worker-*.figures")) if (file := _read(path))]
        return [_metric(family) for family in _added_up(family for file in files for family in _countable(file))]


def _family(metric: Metric) -> _Family:
    # When a counter was made is of no use once several are added up.
    samples = [(s.name, dict(s.labels), s.value) for s in metric.samples if not s.name.endswith("_created")]
    return _Family(metric.name, metric.documentation, metric.type, samples)


def _metric(family: _Family) -> Metric:
    metric = Metric(family.name, family.documentation, family.type)
    for name, labels, value in family.samples:
        metric.add_sample(name, labels, value)
    return metric


def _read(path: Path) -> _File | None:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=_File)
    except FileNotFoundError:
        return None


def _countable(file: _File) -> list[_Family]:
    """What counts of a worker's figures: nothing is open any more in one that is gone."""
    lives = _lives(file.pid)
    return [family for family in file.families if lives or family.type != _GAUGE]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _join(family: _Family, one: float, other: float) -> float:
    return max(one, other) if family.type == _GAUGE and family.name.endswith("_seconds") else one + other


def _added_up(families: Iterable[_Family]) -> list[_Family]:
    """One family for each name, one sample for each name and labels in it."""
    sums: dict[str, _Family] = {}
    values: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
    for family in families:
        sums.setdefault(family.name, family)
        own = values.setdefault(family.name, {})
        for name, labels, value in family.samples:
            key = (name, tuple(sorted(labels.items())))
            own[key] = _join(family, own.get(key, 0.0), value)
    return [
        _Family(
            name,
            first.documentation,
            first.type,
            [(sample, dict(labels), value) for (sample, labels), value in values[name].items()],
        )
        for name, first in sums.items()
    ]
