"""Results as they come in, and the tables that people read: medians, ratios, goals reached or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.scenario import Goal

FAILURE_CHARACTERS = 60


@dataclass
class Cell:
    """All rounds of one server in one row."""

    per_second: list[float] = field(default_factory=list)
    p50_milliseconds: list[float] = field(default_factory=list)
    p99_milliseconds: list[float] = field(default_factory=list)
    cpu_micros: list[float] = field(default_factory=list)
    """Processor time of the server for one request, in microseconds."""
    failure: str = ""

    def add(self, per_second: float, p50_milliseconds: float, p99_milliseconds: float, cpu_micros: float) -> None:
        self.per_second.append(per_second)
        self.p50_milliseconds.append(p50_milliseconds)
        self.p99_milliseconds.append(p99_milliseconds)
        self.cpu_micros.append(cpu_micros)

    @property
    def rate(self) -> float:
        """The median of the rounds, requests a second; 0 where it failed."""
        return median(self.per_second) if self.per_second and not self.failure else 0.0

    def text(self) -> str:
        if self.failure:
            return f"failed: {self.failure[:FAILURE_CHARACTERS]}"
        if not self.per_second:
            return "–"
        delays = f"{short(median(self.p50_milliseconds))}/{short(median(self.p99_milliseconds))}"
        return f"{self.rate:,.0f} ({delays}; {median(self.cpu_micros):.0f} µs)"


@dataclass
class Row:
    """One row: a title, cells by server, what is to be reached."""

    title: str
    cells: dict[str, Cell]
    goals: Sequence[Goal] = ()
    p99_goal_milliseconds: float | None = None

    def verdicts(self) -> list[str]:
        """Each goal with the ratio that was reached."""
        found = []
        for goal in self.goals:
            own = self.cells.get(goal.subject)
            rates = {
                name: cell.rate
                for name, cell in self.cells.items()
                if cell.rate and (name in goal.peers if goal.peers else is_peer(name))
            }
            if own is None or not own.rate or not rates:
                found.append(f"{goal.subject}: not measured")
                continue
            best = max(rates, key=lambda name: rates[name])
            ratio = own.rate / rates[best]
            mark = "reached" if ratio >= goal.factor else "**missed**"
            found.append(f"{goal.subject} {ratio:.2f} × {best} (goal {goal.factor:g}): {mark}")
        own = self.cells.get("Trine")
        if self.p99_goal_milliseconds is not None and own is not None and own.p99_milliseconds:
            p99 = median(own.p99_milliseconds)
            mark = "reached" if p99 <= self.p99_goal_milliseconds else "**missed**"
            found.append(f"Trine p99 {p99:.1f} ms (goal ≤ {self.p99_goal_milliseconds:g}): {mark}")
        return found


def short(value: float) -> str:
    """Two digits where they say something, whole numbers above."""
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def is_peer(name: str) -> bool:
    """Whether a column is another program's, not one of Trine's."""
    return not name.startswith("Trine") and name != "bare echo"


def table(rows: Sequence[Row], servers: Sequence[str]) -> str:
    """The rows as a Markdown table, goals below it."""
    lines = [
        "| | " + " | ".join(servers) + " |",
        "|---" * (len(servers) + 1) + "|",
    ]
    for row in rows:
        cells = [row.cells[name].text() if name in row.cells else "–" for name in servers]
        lines.append(f"| {row.title} | " + " | ".join(cells) + " |")
    lines.append("")
    lines += [f"- {row.title}: {verdict}" for row in rows for verdict in row.verdicts()]
    return "\n".join(lines)
