"""What queries and metric math reckon with: the values of one metric by time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class TimeSeries(dict[int, float]):
    """Value by second since the epoch, ascending; `label` is that of the metric it was made of."""

    __slots__ = ("label",)

    def __init__(self, values: Mapping[int, float] | Iterable[tuple[int, float]] = (), label: str = "") -> None:
        super().__init__(values)
        self.label = label
