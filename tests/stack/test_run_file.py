"""The run file: written in one step for its owner's eyes, and honest about a stack that has ended."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from trine.stack import run_file
from trine.stack.run_file import NotRunning, RunFile


def _run_file(pid: int) -> RunFile:
    return RunFile(
        pid=pid,
        template="template.yaml",
        front_url="http://127.0.0.1:3000",
        aws_url="http://127.0.0.1:4566",
        dynamodb_url="http://127.0.0.1:8000",
        region="us-east-1",
        account_id="123456789012",
        access_key_id="AKIAEXAMPLE",
        secret_access_key="secret",
        parameters={"Stage": "dev"},
        client_secrets={"Web": "hush"},
    )


def test_it_is_found_again_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    written = _run_file(os.getpid())
    written.write(tmp_path)
    assert run_file.read(tmp_path) == written
    assert stat.S_IMODE((tmp_path / run_file.NAME).stat().st_mode) == 0o600
    run_file.remove(tmp_path)
    with pytest.raises(NotRunning, match="no stack has been started here"):
        run_file.read(tmp_path)


def test_a_stack_that_has_ended_is_named_but_its_key_stays_readable(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    _run_file(ended.pid).write(tmp_path)
    with pytest.raises(NotRunning, match="has ended"):
        run_file.read(tmp_path)
    assert run_file.read(tmp_path, running=False).access_key_id == "AKIAEXAMPLE"


def test_a_damaged_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / run_file.NAME).write_text("{")
    with pytest.raises(NotRunning, match="cannot be read"):
        run_file.read(tmp_path)
