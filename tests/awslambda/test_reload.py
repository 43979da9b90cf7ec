"""A saved file is live on the next call; other functions keep their environments."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from pathlib import Path
from typing import Any

from tests.waiting import PATIENCE_SECONDS


def write(folder: Path, answer: int) -> None:
    """A handler that answers `answer`."""
    (folder / "app.py").write_text(f"def handler(event, context):\n    return {answer}\n")


async def changed(lab: Any, name: str, expected: Any) -> None:
    """Call the function until it answers `expected`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while json.loads((await lab.send(name)).payload) != expected:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.002)


def test_a_saved_file_is_live(lab: Any, tmp_path: Path) -> None:
    write(tmp_path, 1)
    assert lab.call("app.handler", code=tmp_path, name="hot") == 1
    lab.put("app.count", "untouched")
    lab.invoke("untouched")
    write(tmp_path, 2)
    lab.run(changed(lab, "hot", 2))
    saved = tmp_path / "new.py.tmp"
    saved.write_text("def handler(event, context):\n    return 3\n")
    saved.rename(tmp_path / "app.py")
    lab.run(changed(lab, "hot", 3))
    assert json.loads(lab.invoke("untouched").payload) == 2


def test_files_in_new_folders_and_rebuilt_ones(lab: Any, tmp_path: Path) -> None:
    code = tmp_path / "build"
    code.mkdir()
    (code / "app.py").write_text("from inner import value\ndef handler(event, context):\n    return value.VALUE\n")
    (code / "inner").mkdir()
    (code / "inner" / "value.py").write_text("VALUE = 'a'\n")
    assert lab.call("app.handler", code=code, name="built") == "a"
    (code / "inner" / "value.py").write_text("VALUE = 'b'\n")
    lab.run(changed(lab, "built", "b"))
    shutil.rmtree(code)
    code.mkdir()
    write(code, 4)
    lab.run(changed(lab, "built", 4))


def test_what_is_no_code_ends_no_environment(lab: Any, tmp_path: Path) -> None:
    write(tmp_path, 1)
    lab.call("app.handler", code=tmp_path, name="calm")
    (tmp_path / "__pycache__").mkdir(exist_ok=True)
    (tmp_path / "__pycache__" / "app.cpython-311.pyc").write_bytes(b"")
    (tmp_path / ".app.py.swp").write_text("")
    (tmp_path / "app.py~").write_text("")
    lab.run(asyncio.sleep(0.1))
    assert len(lab.service.registry.describe_environments("calm")) == 1


def test_a_running_invocation_ends_in_peace(lab: Any, tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parent / "handlers" / "app.py", tmp_path)
    lab.put("app.sleep", "peace", tmp_path)

    async def save_meanwhile() -> Any:
        running = asyncio.ensure_future(lab.send("peace", {"seconds": 0.3}))
        await asyncio.sleep(0.1)
        (tmp_path / "app.py").write_text("def sleep(event, context):\n    return 'new'\n")
        answer = await running
        await changed(lab, "peace", "new")
        return answer

    answer = lab.run(save_meanwhile())
    assert answer.function_error is None
