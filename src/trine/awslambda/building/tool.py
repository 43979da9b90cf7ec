"""A tool of this machine that makes code or fetches packages: watched, bounded in time and output, killed as a whole.

Enters a command and the folder it runs in, leaves nothing; what it said last is in the `InstallFailed` that ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

REAP_SECONDS = 5.0
"""Time for an installer that was killed to be gone."""
OUTPUT_LINES, OUTPUT_BYTES = 12, 65_536
"""Of an installer's output, what is kept and told when it fails."""


class InstallFailed(Exception):
    """Packages could not be installed; the text has the installer's last lines."""


@contextlib.contextmanager
def disk_faults(what: str) -> Iterator[None]:
    """What the disk refuses within ends as InstallFailed, beginning with `what`."""
    try:
        yield
    except OSError as error:
        raise InstallFailed(f"{what}: {error}") from error


async def run_tool(
    command: list[str], folder: Path, seconds: float, environment: Mapping[str, str] | None = None
) -> None:
    """Run one tool in a folder to its end, bounded in time and output. Raises InstallFailed with its last lines."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            env=environment,
        )
    except FileNotFoundError:
        raise InstallFailed(f"`{command[0]}` was not found; it installs what the function needs") from None
    output = b""

    async def read() -> None:
        nonlocal output
        assert process.stdout is not None
        while data := await process.stdout.read(8_192):
            output = (output + data)[-OUTPUT_BYTES:]
        await process.wait()

    in_time = False
    try:
        await asyncio.wait_for(read(), seconds)
        in_time = True
    except TimeoutError:
        pass
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    if not in_time:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(read(), REAP_SECONDS)
        raise InstallFailed(_told(command, f"was ended after {seconds:.0f} s", output))
    if process.returncode != 0:
        raise InstallFailed(_told(command, f"ended with {process.returncode}", output))


def _told(command: Sequence[str], what: str, output: bytes) -> str:
    name = "pip" if "pip" in command else Path(command[0]).name
    lines = [line for line in output.decode("utf-8", "replace").splitlines() if line.strip()][-OUTPUT_LINES:]
    return "\n".join([f"{name} {what}", *(f"    {line[:300]}" for line in lines)])
