"""SnapStart: a version is initialised once, and every environment of it is restored from that snapshot."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import still_running, until
from trine.aws.errors import AwsError
from trine.awslambda.environments.memory import descendants
from trine.awslambda.function import Function

SNAP = {"Runtime": "python3.12", "Timeout": 20, "MemorySize": 512, "SnapStart": {"ApplyOn": "PublishedVersions"}}
CODE = """
import os, random, subprocess, uuid
import boto3
from snapshot_restore_py import register_after_restore, register_before_snapshot

INIT = str(uuid.uuid4())
TABLE = boto3.client("dynamodb")
FILE = open(__file__)
FILE.read(10)
with open("/tmp/model", "w") as model:
    model.write("weights")
SEEN = []
register_before_snapshot(SEEN.append, "first registered")
register_before_snapshot(SEEN.append, "last registered")


@register_after_restore
def restored():
    SEEN.append(os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"])


def handler(event, context):
    import time

    time.sleep(event.get("seconds", 0))
    own = f"/tmp/of-{uuid.uuid4()}"
    found = sorted(os.listdir("/tmp"))
    with open(own, "w") as file:
        file.write("x")
    return {
        "init": INIT, "seen": SEEN, "of": [name for name in found if name.startswith("of-")],
        "model": subprocess.run(["cat", "/tmp/model"], capture_output=True, text=True).stdout,
        "key": os.environ["AWS_ACCESS_KEY_ID"], "client": TABLE._request_signer._credentials.access_key,
        "random": random.random(), "read": FILE.read(5), "stream": context.log_stream_name, "id": os.getpid(),
    }
"""


def publish(lab: Any, folder: Path, code: str, name: str, **more: Any) -> Function:
    """A function of `code` that asks for SnapStart; its version 1 once that is ready or known to have no snapshot."""
    folder.mkdir(exist_ok=True)
    (folder / "app.py").write_text(code)
    lab.put("app.handler", name, folder, **{**SNAP, **more})

    async def made() -> Function:
        version: Function = lab.service.deployment.put_version(name)
        return version

    version: Function = lab.run(made())
    wait_until_taken(lab, version)
    return version


def wait_until_taken(lab: Any, version: Function) -> None:
    snapshots = lab.service.machinery.starter.snapshots
    lab.run(until(lambda: not snapshots.is_pending(version), "the snapshot"), timeout_seconds=40)


def answers(lab: Any, name: str, calls: int, seconds: float) -> list[dict[str, Any]]:
    async def all_at_once() -> Any:
        return await asyncio.gather(*(lab.send(name, {"seconds": seconds}) for _ in range(calls)))

    responses = lab.run(all_at_once(), timeout_seconds=60)
    assert [response.function_error for response in responses] == [None] * calls
    return [json.loads(response.payload) for response in responses]


@pytest.fixture
def snap_lab(lab: Any) -> Any:
    """A lab that can restore: forks need namespaces to be kept apart."""
    if not lab.layers.namespaces:
        pytest.skip("no namespaces here: SnapStart functions run their own init")
    return lab


def test_environments_are_forks_of_one_init_and_share_nothing_else(snap_lab: Any, tmp_path: Path) -> None:
    lab = snap_lab
    publish(lab, tmp_path / "code", CODE, "snapped")
    found = answers(lab, "snapped:1", 3, 1.0)
    assert len({one["init"] for one in found}) == 1
    for different in ("key", "stream", "random"):
        assert len({one[different] for one in found}) == 3, different
    for one in found:
        assert one["seen"] == ["last registered", "first registered", "snap-start"]
        assert (one["model"], one["of"], one["client"]) == ("weights", [], one["key"])
    assert {one["read"] for one in found} == {CODE[10:15]}  # each reads on from where the init stopped
    log = lab.log("snapped")
    assert log.count("INIT_START") == log.count("Phase: init\tStatus: success") == 1
    assert log.count("RESTORE_START") == log.count("RESTORE_REPORT Restore Duration:") == 3
    assert "\tRestore Duration: " in log
    assert "ms\tBilled Restore Duration: " in log
    assert "\tInit Duration: " not in log.replace("INIT_REPORT Init Duration", "")
    assert lab.call("app.hello", name="neighbour") == {"hello": "world"}


def test_latest_runs_its_own_init(snap_lab: Any, tmp_path: Path) -> None:
    publish(snap_lab, tmp_path / "code", CODE, "snap-latest")
    (latest,) = answers(snap_lab, "snap-latest", 1, 0)
    assert latest["seen"] == []
    assert "Restore Duration" not in snap_lab.log("snap-latest").rpartition("Version: $LATEST")[2]


LEAVES = {
    "thread": "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    "child": "import subprocess\nP = subprocess.Popen(['sleep', '60'])",
    "event-loop": "import asyncio\nLOOP = asyncio.new_event_loop()",
    "pipe": "import os\nENDS = os.pipe()",
    "written-file": "FILE = open('/tmp/notes', 'w')",
    "shared-memory": "import mmap\nPAGE = mmap.mmap(-1, 4096)",
}


@pytest.mark.parametrize("left", LEAVES)
def test_an_init_that_cannot_be_forked_is_run_by_each(snap_lab: Any, tmp_path: Path, left: str) -> None:
    code = f"{LEAVES[left]}\n\n\ndef handler(event, context):\n    return 'fine'\n"
    publish(snap_lab, tmp_path / "code", code, f"unfit-{left}")
    assert json.loads(snap_lab.invoke(f"unfit-{left}:1").payload) == "fine"
    log = snap_lab.log(f"unfit-{left}")
    assert "SnapStart: its init left " in log
    assert "RESTORE_START" not in log


def test_an_init_that_fails_tells_the_caller(snap_lab: Any, tmp_path: Path) -> None:
    publish(snap_lab, tmp_path / "code", "raise RuntimeError('no init')\n", "snap-broken")
    error = json.loads(snap_lab.invoke("snap-broken:1").payload)
    assert (error["errorType"], error["errorMessage"]) == ("RuntimeError", "no init")


def test_hooks_that_fail(snap_lab: Any, tmp_path: Path) -> None:
    hook = "import snapshot_restore_py as s\ndef fail():\n    raise ValueError('hooked')\n{}(fail)\nhandler = fail\n"
    publish(snap_lab, tmp_path / "a", hook.format("s.register_before_snapshot"), "snap-before")
    assert "Runtime.BeforeSnapshotError" in snap_lab.log("snap-before")
    publish(snap_lab, tmp_path / "b", hook.format("s.register_after_restore"), "snap-after")
    with pytest.raises(AwsError, match=r"afterRestore.*ValueError: hooked") as refused:
        snap_lab.invoke("snap-after:1")
    assert (refused.value.code, refused.value.status) == ("SnapStartException", 400)


def test_an_environment_that_crashes_hurts_no_other(snap_lab: Any, tmp_path: Path) -> None:
    code = (
        "import os, signal, time\n\ndef handler(event, context):\n    if event.get('crash'):\n"
        "        try:\n            os.kill(os.getppid(), signal.SIGKILL)\n        except PermissionError:\n"
        "            os.kill(os.getpid(), signal.SIGSEGV)\n        time.sleep(20)\n"
        "    time.sleep(event.get('seconds', 0))\n    return 'fine'\n"
    )
    publish(snap_lab, tmp_path / "code", code, "snap-crash")

    async def both() -> Any:
        return await asyncio.gather(
            snap_lab.send("snap-crash:1", {"seconds": 1}), snap_lab.send("snap-crash:1", {"crash": True})
        )

    fine, crashed = snap_lab.run(both(), timeout_seconds=40)
    assert json.loads(fine.payload) == "fine"
    assert (crashed.function_error, json.loads(crashed.payload)["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert json.loads(snap_lab.invoke("snap-crash:1").payload) == "fine"


def test_nothing_is_left_of_a_version_that_is_deleted(own_lab: Any, tmp_path: Path) -> None:
    if not own_lab.layers.namespaces:
        pytest.skip("no namespaces here")
    publish(own_lab, tmp_path / "code", CODE, "snap-gone")
    answers(own_lab, "snap-gone:1", 2, 0.5)
    zygote = own_lab.service.machinery.interpreters.zygote("python3.12")._popen.pid
    family = set(descendants(zygote))
    assert len(family) >= 6  # the snapshot with its owner, two environments with theirs
    own_lab.run(own_lab.service.deployment.delete_version("snap-gone", "1"))
    assert still_running(family) == set()


def test_changed_code_is_snapped_anew(own_lab: Any, tmp_path: Path) -> None:
    if not own_lab.layers.namespaces:
        pytest.skip("no namespaces here")
    version = publish(own_lab, tmp_path / "code", "def handler(e, c):\n    return 1\n", "snap-change")
    assert json.loads(own_lab.invoke("snap-change:1").payload) == 1
    (tmp_path / "code" / "app.py").write_text("def handler(e, c):\n    return 2\n")

    async def saved() -> None:
        own_lab.service.deployment._reload("snap-change")

    own_lab.run(saved())
    assert json.loads(own_lab.invoke("snap-change:1").payload) == 2  # by an init of its own, or restored
    renewed = own_lab.service.registry.function("snap-change", "1")
    assert renewed.revision != version.revision
    wait_until_taken(own_lab, renewed)
    assert own_lab.service.machinery.starter.snapshots.ready_for(renewed) is not None


@pytest.mark.parametrize(
    ("properties", "sentence"),
    [
        ({"Runtime": "python3.11"}, "python3.11 is not supported for SnapStart enabled functions"),
        ({"Runtime": "nodejs22.x"}, "nodejs22.x is not supported for SnapStart enabled functions"),
        ({"EphemeralStorage": {"Size": 1024}}, "512 MB"),
        ({"SnapStart": {"ApplyOn": "Always"}}, "ApplyOn"),
    ],
)
def test_what_snap_start_is_not_offered_for(lab: Any, properties: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AwsError, match=sentence):
        lab.put("app.hello", "unsnapped", **{**SNAP, **properties})


def test_no_provisioned_concurrency_beside_it(snap_lab: Any, tmp_path: Path) -> None:
    publish(snap_lab, tmp_path / "code", "def handler(e, c): pass\n", "snap-provisioned")
    with pytest.raises(AwsError, match="SnapStart"):
        snap_lab.service.provisioned.put("snap-provisioned", "1", 1)
