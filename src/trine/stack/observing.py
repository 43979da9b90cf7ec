"""What watches a stack: the collector over all wings' traces, its ledger in the state directory, receipts and bills.

Enters what `build` has joined; leaves `Observing`, which the console's door, the receipt header and the commands read.
`Books` makes bills from a ledger alone, so that a stack that does not run can be billed too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from trine.clock import Clock
from trine.metering.bill import bill
from trine.metering.collector import Collector, Levels
from trine.metering.kinds.table_calls import ON_DEMAND, Paid
from trine.metering.ledger import Ledger, LedgerView
from trine.metering.limits import MINUTE_SECONDS
from trine.metering.prices import Prices, load_prices, prices_of
from trine.metering.profile import Profile
from trine.metering.projection import month_from_profile, month_from_survey, project
from trine.metering.receipt import Receipt, pointed_out, receipt_of
from trine.metering.seen_faults import SeenFaults
from trine.metering.series import usage_over_time
from trine.metering.survey import survey
from trine.trace import Trace, TraceBook

USAGE_DIRECTORY = "usage"
Only = Sequence[tuple[str, str]]


def ledger_of(state_directory: Path, *, memory: bool = False) -> Ledger:
    """The ledger of a state directory; also of a stack that does not run."""
    return Ledger(None if memory else state_directory / USAGE_DIRECTORY)


class Books(Struct, frozen=True):
    """A ledger as it is at one moment, with what is needed to make bills from it; may be read in another thread."""

    ledger: LedgerView
    prices: Prices
    region: str
    now: float

    def bill(self, start: int, stop: int, by: str, only: Only = ()) -> dict[str, Any]:
        """The bill of a range of minutes."""
        found = survey(self.ledger, *self._within(start, stop), by, only)
        return bill(found, self.prices, by, self.region, self.now)

    def projection(self, start: int, stop: int, profile: Profile | None = None) -> dict[str, Any]:
        """A month ahead from that range, or from a load profile. NothingRecorded."""
        found = survey(self.ledger, *self._within(start, stop), "service")
        month = month_from_survey(found) if profile is None else month_from_profile(profile, found)
        return project(month, self.prices, self.region, self.now)

    def usage(self, start: int, stop: int, by: str, only: Only = ()) -> dict[str, Any]:
        """USD and calls over time."""
        return usage_over_time(self.ledger, self.prices, *self._within(start, stop), by, only)

    def _within(self, start: int, stop: int) -> tuple[int, int]:
        """The range without what was before anything is known and what has not come yet."""
        first = self.ledger.first_minute()
        latest = int(self.now // MINUTE_SECONDS) + 1
        start = min(latest, start if first is None else max(start, first))
        return start, max(start, min(stop, latest))


class Observing:
    """Usage, measures, receipts and bills of one stack."""

    def __init__(
        self, clock: Clock, traces: TraceBook, ledger: Ledger, levels: Levels, region: str, prices_file: Path | None
    ) -> None:
        self._clock, self._levels, self._region = clock, levels, region
        self._prices_file = prices_file
        self._prices: Prices | None = None
        self.collector = Collector(clock, traces, ledger, levels)
        self.seen_faults = SeenFaults()
        """What only traffic shows; `trine check` asks for it."""
        self.collector.on_caused.append(self.seen_faults.note)

    @property
    def prices(self) -> Prices:
        """The price list in use; read when first needed. PriceFault."""
        if self._prices is None:
            self._prices = load_prices(self._prices_file)
        return self._prices

    def receipt(self, trace: Trace) -> Receipt:
        """What a request and all it caused cost so far."""
        paid = {level[:2]: Paid(level.read_units > 0, level.infrequent) for level in self._levels()}
        return receipt_of(trace, self.prices, lambda table, index: paid.get((table, index), ON_DEMAND))

    def receipt_document(self, trace: Trace) -> dict[str, Any]:
        """The receipt as plain JSON values, with what cost more than it had to."""
        return {**self.receipt(trace).as_document(), "pointedOut": pointed_out(trace, self.prices)}

    def books(self, prices: Mapping[str, Any] | None = None) -> Books:
        """Everything counted up to this moment, at these prices or the stack's own. PriceFault."""
        chosen = self.prices if prices is None else prices_of(prices)
        self.collector.drain()
        self.collector.note_levels()
        return Books(self.collector.ledger.view(), chosen, self._region, self._clock.now())
