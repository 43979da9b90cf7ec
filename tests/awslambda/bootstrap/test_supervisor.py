"""The first process of an environment: whoever it starts waits until their place is laid out."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import os, pathlib, socket, sys
from trine.awslambda.bootstrap import supervisor

place, passed = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
control = socket.socket(fileno=int(sys.argv[3]))

def lay_out():
    if sys.argv[4] == "fails":
        raise OSError("no place")
    place.touch()

def worker(wait):
    wait()
    passed.touch()
    os._exit(7 if place.exists() else 8)

supervisor.run(control, worker, {}, None, lay_out)
"""


def _run(tmp_path: Path, lay_out: str) -> tuple[bytes, str]:
    """What the supervisor tells its owner, and what it says."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        arguments = [str(tmp_path / "place"), str(tmp_path / "passed"), str(theirs.fileno()), lay_out]
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, *arguments], pass_fds=[theirs.fileno()], stderr=subprocess.PIPE,
            text=True, timeout=60, check=False,
        )  # fmt: skip
        theirs.close()
        return ours.recv(1_000), done.stderr


def test_nobody_passes_before_the_place_is_laid_out(tmp_path: Path) -> None:
    told, _ = _run(tmp_path, "works")
    assert os.waitstatus_to_exitcode(json.loads(told)["status"]) == 7


def test_where_it_cannot_be_laid_out_nobody_passes_and_it_is_told_why(tmp_path: Path) -> None:
    told, said = _run(tmp_path, "fails")
    assert told == b"", "the end of its socket: there was nothing that could end"
    assert "no place" in said
    assert not (tmp_path / "passed").exists()
