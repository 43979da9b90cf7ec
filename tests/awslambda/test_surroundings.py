"""What functions find around them: no state of the server's, AWS's user, their layers' libraries, wrapper scripts."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.awslambda.conftest import HANDLERS, Lab
from trine.awslambda.bootstrap import landlock
from trine.awslambda.describe import measure_code


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Lab]:
    """A lab whose state lies in the code of its functions, as with `CodeUri: .` beside the template."""
    shutil.copy(HANDLERS / "places.py", tmp_path)
    (tmp_path / "state").mkdir()
    made = Lab(tmp_path / "state")
    yield made
    made.close()


def test_the_servers_state_is_no_part_of_the_code_that_holds_it(crowded: Lab, tmp_path: Path) -> None:
    (tmp_path / "state" / "server.json").write_text("{}")
    if not crowded.layers.namespaces:
        pytest.skip("no file system of its own here")
    found = crowded.call("places.names", {"folders": ["", "state"]}, code=tmp_path)
    assert found["state"] == []
    assert {"places.py", "state"} <= set(found[""])


def test_what_the_server_writes_there_ends_no_environment(crowded: Lab, tmp_path: Path) -> None:
    crowded.call("places.user", {}, name="calm", code=tmp_path)
    (environment,) = crowded.service.registry.describe_environments("calm")
    (tmp_path / "state" / "store").mkdir()
    (tmp_path / "state" / "store" / "page").write_text("")
    (tmp_path / "seen.py").write_text("X = 1\n")  # told after the others, if they are told at all

    async def renewed() -> None:
        from tests.waiting import until

        await until(lambda: not crowded.service.registry.describe_environments("calm"), "the reload of a saved file")

    crowded.run(renewed())
    crowded.call("places.user", {}, name="calm", code=tmp_path)
    (second,) = crowded.service.registry.describe_environments("calm")
    assert second["id"] != environment["id"]
    watched = {str(folder) for folder, _ in crowded.service.deployment._reloader._watched.values()}
    assert str(tmp_path) in watched
    assert not any(folder.startswith(str(tmp_path / "state")) for folder in watched)


def test_the_servers_state_counts_not_as_code(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x")
    before = measure_code(tmp_path, tmp_path / "state")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "data").write_text("much")
    assert measure_code(tmp_path, tmp_path / "state") == before


@pytest.mark.skipif(not landlock.abi(), reason="no Landlock in this kernel")
def test_landlock_alone_keeps_it_from_being_read(tmp_path: Path) -> None:
    (tmp_path / "state" / "deep").mkdir(parents=True)
    (tmp_path / "state" / "secret").write_text("s")
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "open").write_text("o")
    code = textwrap.dedent(f"""
        import sys
        from trine.awslambda.bootstrap import landlock
        root = {str(tmp_path)!r}
        landlock.restrict(landlock.abi(), [root, *sys.path[1:], "/usr", "/lib"], [root + "/state"], [], [])
        import os
        print(sorted(os.listdir(root)), open(root + "/beside/open").read())
        try:
            print(open(root + "/state/secret").read())
        except PermissionError:
            print("refused")
    """)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout.splitlines() == ["['beside', 'state'] o", "refused"], run.stderr


def test_the_user_has_awss_name_and_home(lab: Any) -> None:
    if not lab.layers.namespaces:
        pytest.skip("no users of its own here")
    assert lab.call("places.user", {}, name="user") == ["sbx_user1051", "/home/sbx_user1051"]
    error = lab.error("places.settle", {}, name="settler")
    refused = ("[Errno 30] Read-only file system", "[Errno 13] Permission denied")  # where the kernel keeps it so
    assert error["errorMessage"].partition(": ")[0] in refused


def wrapped(folder: Path, text: str) -> Path:
    """A layer's folder with an executable `wrapper`."""
    (folder / "layer").mkdir()
    (folder / "layer" / "wrapper").write_text(text)
    (folder / "layer" / "wrapper").chmod(0o755)
    return folder / "layer"


def put_with_layer(lab: Any, handler: str, layer: Path, **properties: Any) -> Any:
    """A function whose layers are merged in `layer`."""
    from msgspec.structs import replace

    function = lab.put(handler, **properties)
    entry, _ = lab.service.registry.find(function.name)
    entry.function = entry.pool.function = replace(function, layers_directory=layer)
    return function


def test_a_wrapper_script_starts_the_runtime(lab: Any, tmp_path: Path) -> None:
    """Options go before the last word of the command, as the developer guide's example puts them."""
    text = '#!/bin/bash\nexport WRAPPED=yes\nargs=("$@")\nexec "${args[@]:0:$#-1}" -X dev "${args[@]: -1}"\n'
    variables = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"}}
    function = put_with_layer(lab, "places.command", wrapped(tmp_path, text), name="wrapped", Environment=variables)
    response = lab.invoke(function.name)
    assert json.loads(response.payload)[:2] == ["yes", True], response.payload


def test_a_wrapper_that_is_not_there_is_an_exit(lab: Any) -> None:
    error = lab.error(
        "places.user", {}, name="unwrapped", Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/none"}}
    )
    assert (error["errorType"], error["errorMessage"].rpartition(": ")[2]) == ("Runtime.ExitError", "exit status 127")
    assert "/opt/none: No such file or directory" in lab.log("unwrapped")


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_libraries_of_a_layer_are_found(lab: Any, tmp_path: Path) -> None:
    source = tmp_path / "answer.c"
    source.write_text("int answer(void) { return 42; }\n")
    (tmp_path / "layer" / "lib").mkdir(parents=True)
    target = tmp_path / "layer" / "lib" / "libanswer.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", target, source], check=True, capture_output=True)
    function = put_with_layer(lab, "places.library", tmp_path / "layer", name="library")
    assert json.loads(lab.invoke(function.name, {"name": "libanswer.so"}).payload) == 42
