"""One owner, a known format, or a clear refusal."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trine.clock import ManualClock
from trine.kv import directory
from trine.kv.durable import DurableStore
from trine.kv.errors import StoreBusy, StoreDamaged, StoreTooNew


def test_a_second_owner_is_told_who_the_first_is(tmp_path: Path) -> None:
    held = directory.take(tmp_path / "state")
    with pytest.raises(StoreBusy, match=rf"process {os.getpid()}\b"):
        directory.take(tmp_path / "state")
    held.release()
    held.release()
    directory.take(tmp_path / "state").release()


def test_another_process_that_owns_it_is_named(tmp_path: Path) -> None:
    code = "import sys; from trine.kv.directory import take; h = take(sys.argv[1]); print('held', flush=True); input()"
    owner = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "held\n"
        with pytest.raises(StoreBusy, match=rf"process {owner.pid}\b"):
            DurableStore(tmp_path, ManualClock())
    finally:
        owner.kill()
        owner.communicate()
    directory.take(tmp_path).release()


def test_a_newer_format_is_refused_and_untouched(tmp_path: Path) -> None:
    asyncio.run(DurableStore(tmp_path, ManualClock()).close())
    (tmp_path / "format").write_text(f"trine-kv {directory.FORMAT_VERSION + 1}\n")
    before = sorted(file.name for file in (tmp_path / "log").iterdir())
    with pytest.raises(StoreTooNew, match="upgrade"):
        DurableStore(tmp_path, ManualClock())
    assert sorted(file.name for file in (tmp_path / "log").iterdir()) == before


@pytest.mark.parametrize("text", ["", "nonsense", "trine-kv x", "other 1", "\0\0"])
def test_a_damaged_format_file_is_named(tmp_path: Path, text: str) -> None:
    asyncio.run(DurableStore(tmp_path, ManualClock()).close())
    (tmp_path / "format").write_text(text)
    with pytest.raises(StoreDamaged, match="format"):
        DurableStore(tmp_path, ManualClock())


def test_somebody_elses_directory_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(StoreDamaged, match=r"thesis\.tex"):
        DurableStore(tmp_path, ManualClock())
    assert sorted(child.name for child in tmp_path.iterdir()) == ["owner", "thesis.tex"]
