"""The zygotes' interpreters, started before the server has loaded its own wings: both then load side by side.

Enters a template's text, leaves running interpreters by executable; `Interpreters` takes over those that functions ask
for and ends the others. Imports next to nothing, because everything imported here delays what it is for.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from trine.awslambda.runtimes.pythons import find, lent_sdk

START = Path(__file__).parent / "bootstrap" / "start.py"
_RUNTIME = re.compile(r"\b(?:python(3\.\d+)|nodejs\d+\.x|provided(?:\.al\w*)?)\b")
_TEMPLATE_MAX_BYTES = 1_048_576
_INTERPRETERS_MAX = 2
"""More would only share the cores with the server that starts; the others start when their functions are made."""


class Started(NamedTuple):
    """An interpreter that loads the zygote's modules; it answers on the socket when it is done."""

    popen: subprocess.Popen[bytes]
    socket: socket.socket

    def end(self) -> None:
        """End it: it reads the end of its socket."""
        self.socket.close()
        self.popen.wait()


def start_interpreter(python: str, sdk_folder: str, *, sandboxed: bool = True, quick_sdk: bool = True) -> Started:
    """Start the zygote's program in `python` with a clean environment. OSError when it cannot be executed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    # The person's own AWS files are nobody's business here, and may be broken.
    environment |= dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):  # some builds of Python do not start without
        if name in os.environ:
            environment[name] = os.environ[name]
    try:
        popen = subprocess.Popen(
            [
                python,
                "-I",
                "-X",
                "utf8",
                str(START),
                "zygote",
                str(theirs.fileno()),
                "sandboxed" if sandboxed else "bare",
                sdk_folder,
                "quick" if quick_sdk else "stock",
            ],
            pass_fds=[theirs.fileno()],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is the server's alone
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return Started(popen, ours)


def executables_for(text: str) -> list[str]:
    """The interpreters that a template's functions will ask for, by the runtimes named anywhere in its text."""
    found: dict[str, None] = {}
    other = False
    for match in _RUNTIME.finditer(text):
        if match[1] is None:
            other = True
        else:
            found[find(match[1]) or sys.executable] = None
    if other and not found:
        found[sys.executable] = None
    return list(found)[:_INTERPRETERS_MAX]


def head_start(template: Path, parameters: Iterable[str], state: Path) -> dict[str, Started]:
    """Start what the template at `template` will want; `parameters` are the values given on the command line.

    A template that cannot be read starts nothing: whoever reads it next says so.
    """
    try:
        with template.open("rb") as file:
            text = file.read(_TEMPLATE_MAX_BYTES).decode("utf-8", "replace")
        return {
            executable: start_interpreter(executable, str(lent_sdk(executable, state) or ""))
            for executable in executables_for(" ".join((*parameters, text)))
        }
    except OSError:
        return {}
