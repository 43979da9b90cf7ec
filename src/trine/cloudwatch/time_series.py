"""What queries and metric math reckon with: the values of one metric by time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

NO_FACTS: Mapping[str, str] = MappingProxyType({})


class TimeSeries(dict[int, float]):
    """Value by second since the epoch, ascending; `label` is that of the metric it was made of, `facts` what
    `${PROP('…')}` of a label may ask of that; none of what was computed."""

    __slots__ = ("facts", "label")

    def __init__(
        self,
        values: Mapping[int, float] | Iterable[tuple[int, float]] = (),
        label: str = "",
        facts: Mapping[str, str] = NO_FACTS,
    ) -> None:
        super().__init__(values)
        self.label, self.facts = label, facts
