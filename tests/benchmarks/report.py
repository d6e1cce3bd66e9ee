"""Medians of rounds as a table, on the screen and in docs/reports."""

import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

Rounds = Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Line:
    """One figure: the values of each contender, one for each round, the first contender being Stepgate.

    ``ratio_of`` divides the first contender's median by each yardstick's, so with ``unit`` ms lower is better.
    """

    figure: str
    unit: str
    values: Rounds

    def cells(self) -> list[tuple[str, str, str, str, str]]:
        """Figure, contender, median with unit, range, ratio of Stepgate to this contender."""
        ours = statistics.median(next(iter(self.values.values())))
        return [
            (self.figure, name, f"{_number(statistics.median(rounds))} {self.unit}",
             f"{_number(min(rounds))} to {_number(max(rounds))}", f"{ours / statistics.median(rounds):.2f}")
            for name, rounds in self.values.items()
        ]  # fmt: skip


WIDTH = 150  # one line for each row, whatever the terminal says: the output of a run is often kept in a file
HEADINGS = ("figure", "contender", "median", "range", "Stepgate / it")


def show(lines: Sequence[Line]) -> None:
    """Print the table."""
    table = Table(*HEADINGS)
    for column in table.columns:
        column.no_wrap = True
    for line in lines:
        for cells in line.cells():
            table.add_row(*cells)
        table.add_section()
    Console(width=WIDTH).print(table)


def write(lines: Sequence[Line], folder: Path, rounds: int) -> Path:
    """Write the table with date, machine and revision into ``folder``; return the file."""
    now = datetime.now(UTC)
    rows = [cells for line in lines for cells in line.cells()]
    text = [
        f"# Benchmarks, {now:%Y-%m-%d %H:%M} UTC",
        "",
        f"Revision {_revision()}, {machine()}.",
        f"Medians of {rounds} rounds taken in turn; the last column is Stepgate's median divided by the contender's.",
        "",
        "| " + " | ".join(HEADINGS) + " |",
        "|" + " --- |" * len(HEADINGS),
        *("| " + " | ".join(cells) + " |" for cells in rows),
        "",
    ]
    path = folder / f"bench-{now:%Y-%m-%d-%H%M}.md"
    path.write_text("\n".join(text))
    return path


def machine() -> str:
    """Describe what the figures were taken on: processor, cores, memory, kernel, Python."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _revision() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False,
        cwd=Path(__file__).parent,
    )  # fmt: skip
    return done.stdout.strip() or "unknown"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
