"""One flow of units: burst, credit of reads, the on-demand ramp, ceilings, hot partitions; time is a number here."""

from __future__ import annotations

from zlib import crc32

from trine.dynamodb.throughput.flow import A_LITTLE, Capacity, Flow, Kind
from trine.dynamodb.throughput.partitions import Partitions

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
PLACES = [crc32(bytes([key])).to_bytes(4, "big") for key in range(32)]


def _flow(capacity: Capacity, kind: Kind = "Write", partitions: int = 64) -> Flow:
    return Flow(kind, capacity, Partitions(0, partitions), 0)


def _taken(flow: Flow, wanted: int, now_ns: int) -> int:
    """How many of `wanted` units pass at one moment, spread over all partitions."""
    return sum(flow.admit(1, 1, PLACES[at % len(PLACES)], now_ns) is None for at in range(wanted))


def test_a_burst_of_five_minutes_and_then_the_rate() -> None:
    flow = _flow(Capacity(10))
    assert _taken(flow, 4000, 0) == 3000
    assert _taken(flow, 100, SECOND) == 10
    assert flow.throttled == {"ProvisionedThroughputExceeded": 1000 + 90}


def test_unused_units_come_back_up_to_the_burst() -> None:
    flow = _flow(Capacity(10))
    _taken(flow, 3000, 0)
    assert _taken(flow, 5000, 1000 * SECOND) == 3000


def test_a_read_may_overdraw_and_those_after_it_pay() -> None:
    flow = _flow(Capacity(1), "Read")
    assert flow.admit(299.5, A_LITTLE, PLACES[0], 0) is None
    assert flow.admit(256, A_LITTLE, PLACES[0], 0) is None
    assert flow.admit(0.5, A_LITTLE, PLACES[0], 255 * SECOND) == "ProvisionedThroughputExceeded"
    assert flow.admit(0.5, A_LITTLE, PLACES[0], 256 * SECOND) is None


def test_a_write_larger_than_the_burst_passes_a_full_bucket() -> None:
    flow = _flow(Capacity(1))
    assert flow.admit(400, 400, PLACES[0], 0) is None
    assert flow.admit(1, 1, PLACES[0], 100 * SECOND) == "ProvisionedThroughputExceeded"


def test_one_partition_gives_a_thousand_writes_a_second() -> None:
    flow = _flow(Capacity(100_000))
    hot = sum(flow.admit(1, 1, PLACES[0], 0) is None for _ in range(6000))
    assert hot == 5000
    assert sum(flow.admit(1, 1, PLACES[0], SECOND) is None for _ in range(6000)) == 1000
    assert flow.admit(1, 1, PLACES[-1], SECOND) is None
    assert flow.throttled == {"KeyRangeThroughputExceeded": 6000}


def _sustain(flow: Flow, per_second: int, from_second: int, seconds: int) -> int:
    """Units that passed in the last of the seconds."""
    passed = 0
    for second in range(from_second, from_second + seconds):
        passed = sum(
            flow.admit(per_second / 64, per_second / 64, PLACES[at % 32], second * SECOND) is None for at in range(64)
        )
    return round(passed * per_second / 64)


def test_on_demand_doubles_against_a_peak_of_half_an_hour_ago() -> None:
    flow = _flow(Capacity(None, 4000))
    assert flow.units_per_second == 4000
    assert _sustain(flow, 4000, 0, 60) == 4000
    assert _sustain(flow, 8000, 60, 60) < 5000, "not yet"
    flow.turn(29 * MINUTE)
    assert flow.units_per_second == 4000
    flow.turn(32 * MINUTE)
    assert flow.units_per_second >= 8000
    assert _sustain(flow, 8000, 32 * 60, 60) == 8000
    assert flow.throttled.keys() == {"KeyRangeThroughputExceeded"}


def test_on_demand_ends_at_its_own_maximum_or_at_the_accounts() -> None:
    flow = _flow(Capacity(None, 4000, ceiling=10))
    assert _taken(flow, 100, 0) == 50
    assert _taken(flow, 100, SECOND) == 10
    assert flow.throttled.keys() == {"MaxOnDemandThroughputExceeded"}
    flow = _flow(Capacity(None, 60_000), partitions=256)
    assert flow.units_per_second == 40_000
    assert flow.admit(200_000, 200_000, PLACES[0], 0) is None
    assert flow.admit(1, 1, PLACES[1], 0) == "AccountLimitExceeded"


def test_turning_to_on_demand_brings_half_of_what_was_provisioned_as_peak() -> None:
    flow = _flow(Capacity(20_000))
    flow.change(Capacity(None, 4000), 0)
    assert flow.units_per_second == 20_000
    flow = _flow(Capacity(5))
    flow.change(Capacity(None, 4000), 0)
    assert flow.units_per_second == 4000


def test_minutes_are_kept_also_when_nothing_happens() -> None:
    flow = _flow(Capacity(10))
    _taken(flow, 30, 0)
    _taken(flow, 5, MINUTE)
    flow.turn(4 * MINUTE)
    assert list(flow.minutes) == [30, 5, 0, 0]
    flow.turn(10_000 * MINUTE)
    assert set(flow.minutes) == {0.0}
    assert flow.consumed == 35
    assert _taken(flow, 5, 10_000 * MINUTE) == 5
