"""The run file: how a command in another terminal finds the stack that runs here.

`server.json` in the state directory, readable by its owner alone: process id, ports and the owner's access key. It is
written when the stack is ready. The key stays readable after the stack has ended (`trine env` works any time), while a
stack that keeps nothing (`--memory`) takes the file with it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

NAME = "server.json"


class NotRunning(Exception):
    """No stack has been started with this state directory, or the one that was has ended; the message says which."""


@dataclass(frozen=True, slots=True)
class RunFile:
    """What a client of a local stack needs to know. URLs have no trailing slash."""

    pid: int
    template: str
    front_url: str
    aws_url: str
    dynamodb_url: str
    region: str
    account_id: str
    access_key_id: str
    secret_access_key: str
    stack_name: str = "trine"
    api_keys: Mapping[str, str] = field(default_factory=dict)
    """Name → value of the template's API keys."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """The template's parameter values that were given."""
    client_secrets: Mapping[str, str] = field(default_factory=dict)
    """Logical id → secret of the template's user pool clients that have one."""
    state_directory: Path = field(default=Path(), compare=False)
    """Where the file was read from; not part of it."""

    def write(self, state_directory: Path) -> None:
        """Replace the file in one step, mode 0600 from its first byte."""
        temporary = state_directory / f".{NAME}.{self.pid}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            content = asdict(self)
            del content["state_directory"]
            json.dump(content, file, indent=1)
        temporary.replace(state_directory / NAME)

    @property
    def is_running(self) -> bool:
        """Whether the process that wrote the file still lives."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def read(state_directory: Path, *, running: bool = True) -> RunFile:
    """The run file of `state_directory`. NotRunning when there is none, or (with `running`) when its process ended."""
    path = state_directory / NAME
    try:
        run_file = RunFile(**json.loads(path.read_text(encoding="utf-8")), state_directory=state_directory)
    except FileNotFoundError:
        raise NotRunning(f"no stack has been started here ({path} does not exist)") from None
    except (ValueError, TypeError) as error:
        raise NotRunning(f"{path} cannot be read ({error}); start the stack again") from None
    if running and not run_file.is_running:
        raise NotRunning(f"the stack of {path} has ended (process {run_file.pid})")
    return run_file


def remove(state_directory: Path) -> None:
    """Take the file away, if it is there."""
    (state_directory / NAME).unlink(missing_ok=True)
