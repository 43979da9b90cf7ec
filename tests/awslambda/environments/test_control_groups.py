"""Control groups: found in both versions, CPU divided by memory, a bound of processes, nothing left behind."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.awslambda.conftest import Lab
from trine.awslambda.environments.control_groups import ControlGroups, Hierarchy, hierarchies

V1 = """3:cpu,cpuacct:/docker/abc
2:pids:/docker/abc
1:name=systemd:/docker/abc
0::/docker/abc
"""
V1_MOUNTS = """30 25 0:26 /docker/abc /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
31 25 0:27 /docker/abc /sys/fs/cgroup/pids rw shared:10 - cgroup cgroup rw,pids
32 25 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
"""
V2 = "0::/user.slice/user-1000.slice/run-1.scope\n"
V2_MOUNTS = "30 25 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"


def test_where_groups_are_made() -> None:
    assert hierarchies(V1, V1_MOUNTS) == [
        Hierarchy("cpu", Path("/sys/fs/cgroup/cpu,cpuacct"), False),
        Hierarchy("pids", Path("/sys/fs/cgroup/pids"), False),
    ]
    own = Path("/sys/fs/cgroup/user.slice/user-1000.slice/run-1.scope")
    assert hierarchies(V2, V2_MOUNTS) == [Hierarchy("cpu", own, True), Hierarchy("pids", own, True)]
    assert hierarchies(V2, "") == hierarchies("", V2_MOUNTS) == []


def test_version_2_is_used_where_it_is_delegated_and_nowhere_else(tmp_path: Path) -> None:
    """On plain files that look like a hierarchy of version 2; the kernel's own rules are tried where it has one."""
    (tmp_path / "cgroup.controllers").write_text("cpu\n")
    (tmp_path / "cgroup.subtree_control").write_text("")
    (tmp_path / "cgroup.procs").write_text(f"{os.getpid()}\n")
    found = [Hierarchy("cpu", tmp_path, True), Hierarchy("pids", tmp_path, True)]
    groups = ControlGroups(limits_cpu=True, found=found)
    assert groups.active == ("cpu",)
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+cpu"
    assert (tmp_path / "trine-server" / "cgroup.procs").read_text() == str(os.getpid())
    (folder,) = tmp_path.glob("trine-*-*-*")
    groups.enter("one", os.getpid(), 1769)
    groups.enter("one", os.getpid(), 1769)
    groups.leave("never entered")
    groups.close()
    assert (folder / "one" / "cpu.weight").read_text() == "100"
    assert (folder / "one" / "cpu.max").read_text() == "100000 100000"
    assert (folder / "one" / "cgroup.procs").exists()


def test_without_any_everything_is_left_out(tmp_path: Path) -> None:
    groups = ControlGroups(found=[Hierarchy("cpu", tmp_path / "nowhere", False)])
    assert groups.active == ()
    groups.enter("one", os.getpid(), 128)
    groups.leave("one")
    groups.close()


@pytest.fixture
def groups() -> Any:
    """Groups of this machine's; where it has none for us, what needs them is not tried."""
    made = ControlGroups()
    if "cpu" not in made.active or "pids" not in made.active:
        made.close()
        pytest.skip("no control groups for cpu and pids may be made here")
    yield made
    made.close()


def test_a_family_is_moved_and_its_groups_go_with_it(groups: ControlGroups) -> None:
    family = subprocess.Popen(["sh", "-c", "sleep 60 & sleep 60 & wait"], start_new_session=True)
    try:
        groups.enter("family", family.pid, 128)
        folders = [folder / "family" for folder in groups._folders.values()]
        deadline = time.monotonic() + 30
        while not all((folder / "cgroup.procs").exists() and _members(folder) >= 3 for folder in folders):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert (folders[0] / "cpu.shares").read_text().strip() == "74"
        assert (folders[1] / "pids.max").read_text().strip() == "1088"
    finally:
        os.killpg(family.pid, 9)
        family.wait()
    groups.leave("family")
    groups.close()
    assert not [folder for folder in folders if folder.parent.exists()]


def _members(folder: Path) -> int:
    return len((folder / "cgroup.procs").read_text().split())


def test_what_a_killed_server_left_is_swept(groups: ControlGroups) -> None:
    script = (
        "import os; from trine.awslambda.environments.control_groups import ControlGroups; g = ControlGroups();"
        "print(*g._folders.values(), flush=True); os.kill(os.getpid(), 9)"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    left = [Path(folder) for folder in told.stdout.split()]
    assert len(left) == 2
    assert all(folder.is_dir() for folder in left)
    ControlGroups().close()
    assert not any(folder.exists() for folder in left)


def test_the_cpu_is_divided_by_memory_where_it_is_short(tmp_path: Path, groups: ControlGroups) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "app.py").write_text(
        "import time\n\ndef handler(event, context):\n    rounds, until = 0, time.monotonic() + 2\n"
        "    while time.monotonic() < until:\n        rounds += 1\n    return rounds\n"
    )
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(everywhere)})  # one core for all of it
    lab = Lab(tmp_path / "state")

    async def together() -> list[Any]:
        return await asyncio.gather(*(lab.send(name) for name in ("poor", "rich")))

    try:
        for name, memory_mb in (("poor", 128), ("rich", 1024)):
            lab.put("app.handler", name, code, MemorySize=memory_mb, Timeout=60)
        lab.run(together(), timeout_seconds=60)  # both are warm from here on
        poor, rich = (json.loads(answer.payload) for answer in lab.run(together(), timeout_seconds=60))
    finally:
        lab.close()
        os.sched_setaffinity(0, everywhere)
    assert rich > 2 * poor  # eight times the memory; without groups both would get the same


def test_a_ceiling_holds_even_while_the_cpu_is_idle(tmp_path: Path, groups: ControlGroups) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "app.py").write_text(
        "import time\n\ndef handler(event, context):\n    until = time.monotonic() + 1.0\n"
        "    while time.monotonic() < until:\n        pass\n    return time.process_time()\n"
    )
    lab = Lab(tmp_path / "state", limits_cpu=True)
    try:
        lab.put("app.handler", "capped", code, MemorySize=256, Timeout=60)
        first, second = (json.loads(lab.invoke("capped").payload) for _ in range(2))
        assert second - first < 0.5, (first, second)  # 0.145 of a core by its memory
        assert lab.service.machinery.isolation()["cpuLimits"] is True
    finally:
        lab.close()
