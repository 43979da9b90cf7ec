"""All log groups of one stack, by name; those of earlier runs are found again.

Enters names, leaves groups. Lines with embedded metrics are handed to whoever asked for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trine.clock import Clock
from trine.logs.errors import LimitExceeded, ResourceNotFound
from trine.logs.group import LogGroup, OnEmbedded, OnMetric
from trine.logs.limits import GROUPS_MAX
from trine.logs.segments import read_metas


class LogStore:
    """The groups below `directory`; without one they live in memory only."""

    def __init__(self, clock: Clock, directory: Path | None, on_embedded: OnEmbedded | None = None) -> None:
        self._clock = clock
        self._directory = directory
        self._on_embedded = on_embedded
        self._on_metric: OnMetric | None = None
        self._groups: dict[str, LogGroup] = {}
        if directory is not None:
            for meta in read_metas(directory):
                self.group(str(meta["name"])).found(meta)

    def group(self, name: str) -> LogGroup:
        """The group `name` (`/aws/lambda/function`), for whoever writes to it; it exists from its first event on."""
        group = self._groups.get(name)
        if group is None:
            if len(self._groups) >= GROUPS_MAX:
                raise LimitExceeded("Resource limit exceeded.")
            group = self._groups[name] = LogGroup(name, self._directory, self._clock)
            group.on_embedded, group.on_metric = self._on_embedded, self._on_metric
        return group

    def on_embedded(self, hook: OnEmbedded | None) -> None:
        """From now on hand (group, line) of lines that may hold embedded metrics to `hook`."""
        self._on_embedded = hook
        for group in self._groups.values():
            group.on_embedded = hook

    def on_metric(self, hook: OnMetric | None) -> None:
        """From now on hand what metric filters publish to `hook`."""
        self._on_metric = hook
        for group in self._groups.values():
            group.on_metric = hook

    def groups(self) -> list[LogGroup]:
        """Every group that someone writes to or that exists, by name."""
        return [self._groups[name] for name in sorted(self._groups)]

    def existing(self) -> list[LogGroup]:
        """Every group that exists for the API, by name."""
        return [group for group in self.groups() if group.created_ms]

    def held(self) -> Iterator[tuple[str, str, float]]:
        """(meter, group, GB) of what is kept, in whole MB, as `metering.holding.Held` has it."""
        for group in self.existing():
            yield "logs.gb-month", group.group, (group.size_bytes >> 20) / 1024

    def find(self, name: str) -> LogGroup:
        """The group that exists under `name`. Raises ResourceNotFound."""
        group = self._groups.get(name)
        if group is None or not group.created_ms:
            raise ResourceNotFound("The specified log group does not exist.")
        return group

    def flush(self) -> None:
        """Write everything that is unwritten."""
        for group in self._groups.values():
            group.flush()
