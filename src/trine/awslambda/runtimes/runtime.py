"""What a runtime of AWS Lambda has to say of itself: facts that the rest of the wing asks for, and how it is started.

Everything that depends on a function's language stands in the one room of that language, as a `Runtime`. Nothing else
looks at a runtime's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

if TYPE_CHECKING:  # values of rooms that ask this one for facts
    from trine.awslambda.environments.process import Launch
    from trine.awslambda.environments.zygote import Zygote
    from trine.awslambda.function import Function

TASK = "/var/task"
OPT = "/opt"
WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
"""A program that starts the runtime: it gets the runtime's command as its arguments (developer guide, "Using wrapper
scripts")."""


class RuntimeMissing(Exception):
    """The function's runtime is not installed here; the text says what is missing."""


class Scene(Struct, frozen=True):
    """One environment as it is laid out for any runtime, before its own says what is executed."""

    function: Function
    env: dict[str, str]
    """Its variables; the runtime adds its own."""
    place: Launch
    """Its folders."""
    opt: str
    """Where it sees its layers."""
    zygote: Zygote


class Runtime:
    """A runtime; by itself one that is not run here (Ruby)."""

    family = ""
    """The name without a version: `python`."""
    speaks_by_link = False
    """Trine's own client runs the code, over a socket; others find the Runtime API by HTTP."""
    takes_snapshots = False
    """An init can be frozen and forked here, for SnapStart."""
    snap_start_since: tuple[int, ...] | None = None
    """The first version that AWS lets ask for SnapStart; None: it has none."""
    needs_handler = True
    """A function has to name one."""
    has_own_libraries = False
    """Libraries of the system are not to come before its own."""
    takes_wrapper = True
    """`AWS_LAMBDA_EXEC_WRAPPER` starts it; OS-only runtimes know no wrapper scripts."""
    inline_file: str | None = None
    """The file that inline code (`Code: ZipFile`) becomes; None: it takes none."""
    installer: str | None = None
    """Who installs from its lists of packages: `pip` or `npm`; None: nobody."""
    layer_folder: str | None = None
    """The folder of a layer where it looks for packages, when a layer is built."""
    debugger: str | None = None
    """`debugpy`, or `inspector`, which comes with it; None: there is none."""
    projects: ClassVar[Mapping[str, str]] = {}
    """File → the `BuildMethod` that `sam build` takes when it finds it, without being told."""

    def program(self, scene: Scene) -> Launch:
        """What is executed. Raises RuntimeMissing."""
        raise RuntimeMissing(
            f"The runtime {scene.function.runtime} cannot be run here; built with AWS's runtime client for "
            "provided.al2023 it can"
        )

    def note(self, name: str, python: str) -> str | None:
        """What the manifest says of it; None when it is here exactly. `python` is the interpreter that it gets."""
        return f"{name} is not run here; built with AWS's runtime client for provided.al2023 it is"


def readable_for(place: Launch, program: Path) -> tuple[str, ...]:
    """What an environment may read beside its own, with the installation of `program` (`bin/program`) among it."""
    home = program.parent.parent
    return place.visible if home == Path("/usr") else (*place.visible, str(home))
