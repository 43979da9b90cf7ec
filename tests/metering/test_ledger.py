"""The ledger: rows add up, days are packed, a crash costs a line, a year stays small."""

from __future__ import annotations

import gzip
from pathlib import Path

from trine.metering.ledger import MINUTES_PER_DAY, Ledger, Level, TableLevel, day_of, minute_of
from trine.metering.limits import MINUTES_IN_MEMORY_MAX_COUNT, ROWS_PER_MINUTE_MAX_COUNT
from trine.metering.usage import Counts, Dimensions, add

DAY = minute_of("2026-11-28")
ROW = Dimensions("rest", route="api/Prod GET /")


def _sum(ledger: Ledger, start: int, stop: int) -> Counts:
    total: Counts = {}
    for row in ledger.view().rows(start, stop):
        add(total, row.counts)
    return total


def test_a_row_may_come_in_parts(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.count(DAY, ROW, {"requests": 1})
    ledger.count(DAY, ROW, {"requests": 2, "errors": 1})
    ledger.flush()
    ledger.count(DAY, ROW, {"requests": 4})
    assert _sum(ledger, DAY, DAY + 1) == {"requests": 7, "errors": 1}
    ledger.flush()
    assert _sum(Ledger(tmp_path), DAY, DAY + 1) == {"requests": 7, "errors": 1}
    assert _sum(ledger, DAY + 1, DAY + 2) == {}


def test_a_day_that_is_over_is_packed_and_reads_the_same(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for minute in (DAY, DAY + MINUTES_PER_DAY - 1, DAY + MINUTES_PER_DAY):
        ledger.count(minute, ROW, {"requests": 1})
    ledger.level(DAY, TableLevel("T", "", 100, 0, 0))
    ledger.flush()
    ledger.pack(day_of(DAY + MINUTES_PER_DAY))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2026-11-28.jsonl.gz", "2026-11-29.jsonl"]
    assert _sum(ledger, 0, DAY * 2) == {"requests": 3}
    assert ledger.view().levels(DAY + 1) == [Level(DAY, TableLevel("T", "", 100, 0, 0))]
    assert ledger.view().first_minute() == DAY
    # what comes late (a clock set back) joins the packed day
    ledger.count(DAY + 5, ROW, {"requests": 10})
    ledger.flush()
    ledger.pack("2026-11-30")
    assert _sum(ledger, 0, DAY * 2) == {"requests": 13}


def test_a_line_cut_short_and_foreign_files_are_left_out(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.count(DAY, ROW, {"requests": 1})
    ledger.flush()
    with (tmp_path / "2026-11-28.jsonl").open("ab") as file:
        file.write(b'[1,["rest"')
    (tmp_path / "2026-11-27.jsonl.gz").write_bytes(b"not gzip")
    (tmp_path / "notes.jsonl").write_text("hello")
    (tmp_path / "2026-11-26.jsonl").write_text('{"a":1}\n[]\n')
    assert _sum(ledger, 0, DAY * 2) == {"requests": 1}


def test_only_changes_of_levels_are_kept(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for minute in range(DAY, DAY + 5):
        ledger.level(minute, TableLevel("T", "", 100, 0, 0))
    ledger.gone(DAY + 9, set())
    ledger.gone(DAY + 10, set())
    assert [level.minute for level in ledger.view().levels(DAY * 2)] == [DAY, DAY + 9]


def test_too_many_rows_are_counted_together_and_told() -> None:
    ledger = Ledger(None)
    for number in range(ROWS_PER_MINUTE_MAX_COUNT + 50):
        ledger.count(DAY, Dimensions("rest", caller=str(number)), {"requests": 1})
    assert ledger.dropped == 50
    assert _sum(ledger, DAY, DAY + 1) == {"requests": ROWS_PER_MINUTE_MAX_COUNT + 50}


def test_without_a_directory_the_latest_day_is_remembered() -> None:
    ledger = Ledger(None)
    for minute in range(MINUTES_IN_MEMORY_MAX_COUNT + 10):
        ledger.count(minute, ROW, {"requests": 1})
    ledger.flush()
    assert _sum(ledger, 0, 10**9) == {"requests": MINUTES_IN_MEMORY_MAX_COUNT}


def test_a_disk_that_refuses_keeps_the_rows(tmp_path: Path) -> None:
    (tmp_path / "usage").write_text("a file where a directory should be")
    ledger = Ledger(tmp_path / "usage")
    ledger.count(DAY, ROW, {"requests": 1})
    ledger.flush()
    assert _sum(ledger, DAY, DAY + 1) == {"requests": 1}


def test_a_year_of_one_route_at_one_request_a_minute_fits_fifty_megabytes(tmp_path: Path) -> None:
    """Measured over three days: front door, function, table and index each minute, with figures that vary."""
    ledger, route, days = Ledger(tmp_path), "profiles/Prod GET /users/{id}", 3
    function, table = "profiles-GetProfile-1M2SC4XKKT1RN", "profiles-ProfilesTable-9817JUT4OJDO"
    for minute in range(DAY, DAY + days * MINUTES_PER_DAY):
        noise = (minute * 7919) % 997
        ledger.count(minute, Dimensions("rest", route), {"requests": 1, "units": 1, "bytesOut": 200 + noise % 90,
                                                         "milliseconds": 3 + noise / 331})  # fmt: skip
        ledger.count(minute, Dimensions("lambda", route, function=function),
                     {"requests": 1, "milliseconds": 2 + noise / 457, "billedMs": 3, "mbMs": 768})  # fmt: skip
        for index in ("", "by-email"):
            ledger.count(minute, Dimensions("table", route, "", "", function, table, index),
                         {"requests": 1, "milliseconds": noise / 787, "readUnits": 0.5})  # fmt: skip
    ledger.flush()
    ledger.pack(day_of(DAY + days * MINUTES_PER_DAY))
    size_bytes = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert all(gzip.decompress(path.read_bytes()) for path in tmp_path.iterdir())
    assert size_bytes / days * 365 < 20e6
