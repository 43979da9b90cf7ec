"""What a hostile function cannot do, layer by layer; and that everything still works where there are no layers."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.awslambda.conftest import HANDLERS


@pytest.fixture
def scene(lab: Any, tmp_path: Path) -> dict[str, Any]:
    """What there is to attack: another function's file, the server, a socket of the server's."""
    neighbour = tmp_path / "neighbour"
    neighbour.mkdir()
    (neighbour / "secret.py").write_text("SECRET = 1\n")
    place = str(Path("/var/tmp") / f"trine-test-{os.getpid()}.sock")
    return {"neighbour_file": str(neighbour / "secret.py"), "server_pid": os.getpid(), "socket": place}


def test_attacks(lab: Any, scene: dict[str, Any]) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(scene["socket"])
        server.listen()
        try:
            met = lab.call("attacks.handler", {**scene, "fill": True}, Timeout=20)
        finally:
            os.unlink(scene["socket"])
    layers = lab.layers
    if layers.namespaces:
        assert met["processes"] == "2"
        # Its own file, and the way to the interpreter where that lives below /tmp itself; nothing else of the host.
        assert set(met["tmp"]) <= {"mine", *Path(sys.prefix).parts}
        assert met["uid"] == 993
        assert met["read_environ_of_server"] in ("ENOENT", "EACCES")
        assert met["signal_server"] in ("ESRCH", "EPERM")
        assert met["fill_tmp"] == "ENOSPC"
        assert met["shadow"] in (0, "EACCES", "ENOENT")
        assert met["write_own_code"] in ("EROFS", "EACCES")
    if layers.namespaces or (layers.landlock and not scene["neighbour_file"].startswith("/tmp/")):
        assert met["read_neighbour"] in ("EACCES", "ENOENT")
        assert met["write_neighbour"] in ("EACCES", "ENOENT")
    if layers.landlock:
        assert met["write_system"] in ("EROFS", "EACCES")
        assert met["write_own_code"] in ("EROFS", "EACCES")
    if layers.seccomp:
        assert (met["unshare"], met["mount"], met["ptrace"]) == ("EPERM", "EPERM", "EPERM")
    if layers.namespaces or not (layers.landlock and str(HANDLERS).startswith("/tmp/")):
        assert met["write_tmp"] == "done"
    assert set(met["capabilities"]) == {"0"}


def test_the_layers_of_this_system_are_told(lab: Any) -> None:
    assert lab.service.machinery.isolation()["seccomp"] == lab.layers.seccomp
    told = {"namespaces", "landlock", "seccomp", "controlGroups", "cpuLimits"}
    assert set(lab.service.machinery.isolation()) == told


def test_tmp_is_wiped_with_its_environment(lab: Any) -> None:
    first = lab.call("app.files", name="wiped")
    lab.put("app.files", "wiped", Timeout=4)
    assert (first["existed"], json.loads(lab.invoke("wiped").payload)["existed"]) == (False, False)


def test_without_any_layer_functions_work_and_die_all_the_same(bare_lab: Any) -> None:
    layers = bare_lab.layers
    assert (layers.namespaces, layers.landlock, layers.seccomp) == (False, 0, False)
    function = bare_lab.put("app.describe_context", "bare")
    assert json.loads(bare_lab.invoke("bare").payload)["cwd"] == str(function.code_directory)
    first = bare_lab.call("app.files", name="bare-files")
    assert first["path"].startswith(str(bare_lab.state))
    left = bare_lab.call("app.leave_children", name="bare-left")
    bare_lab.run(bare_lab.service.deployment.delete_function("bare-left"))
    assert not [pid for pid in left.values() if Path(f"/proc/{pid}").exists()]
    error = bare_lab.error("app.kill_parent", Timeout=5)
    assert error["errorType"] == "Runtime.ExitError"
    assert not Path(first["path"]).exists() or bare_lab.service.registry.describe_environments("bare-files")
