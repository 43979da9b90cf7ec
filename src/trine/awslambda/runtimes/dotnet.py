"""The command that runs a built .NET package, as AWS's image forms it (`bootstrap.sh` of aws/aws-lambda-dotnet).

Pure but for looks at the package and at PATH.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from trine.awslambda.runtimes.runtime import Runtime, RuntimeMissing, Scene

if TYPE_CHECKING:
    from trine.awslambda.environments.process import Launch
    from trine.awslambda.function import Function

SUPPORT = "Amazon.Lambda.RuntimeSupport.dll"
"""AWS's runtime client. Its image brings it for class libraries; here it has to be in the package."""


class Dotnet(Runtime):
    """The machine's own `dotnet`, or a program that needs none."""

    family = "dotnet"
    snap_start_since = (8,)

    def program(self, scene: Scene) -> Launch:
        """The package's command. Raises RuntimeMissing."""
        env, place = scene.env, scene.place
        argv, runtime = command(scene.function, place.directory)
        env.setdefault("DOTNET_CLI_TELEMETRY_OPTOUT", "1")
        if runtime is not None:
            env.setdefault("DOTNET_ROOT", runtime)
            place = replace(place, visible=(*place.visible, runtime))
        return replace(place, env=env, argv=argv)

    def note(self, name: str, python: str) -> str | None:
        """Whether there is a `dotnet`."""
        return None if shutil.which("dotnet") else f"{name}: no `dotnet` was found on PATH"


def command(function: Function, directory: str) -> tuple[tuple[str, ...], str | None]:
    """(the command, the folder of the runtime that it needs; None: the program needs none). Raises RuntimeMissing.

    `Name` is an assembly with an entry point, or a program that was built self-contained; `Assembly::Type::Method` a
    method of a class library.
    """
    code = function.code_directory
    assembly, _, method = function.handler.partition("::")
    assembly = assembly.removesuffix(".dll")
    if not method:
        if (code / f"{assembly}.dll").is_file():
            program = _dotnet(function)
            return (str(program), f"{directory}/{assembly}.dll"), str(program.parent)
        if os.access(code / assembly, os.X_OK) and (code / assembly).is_file():
            return (f"{directory}/{assembly}",), None
        raise RuntimeMissing(
            f"executable assembly {directory}/{assembly}.dll or binary {directory}/{assembly} not found."
        )
    needed = (SUPPORT, f"{assembly}.dll", f"{assembly}.deps.json", f"{assembly}.runtimeconfig.json")
    for name in needed:
        if not (code / name).is_file():
            reason = (
                ": AWS's image brings it along, here it has to be among the dependencies" if name is SUPPORT else ""
            )
            raise RuntimeMissing(f"{function.runtime}: the package has no {name}{reason}")
    program = _dotnet(function)
    described = ("--depsfile", f"{directory}/{needed[2]}", "--runtimeconfig", f"{directory}/{needed[3]}")
    return (str(program), "exec", *described, f"{directory}/{SUPPORT}", function.handler), str(program.parent)


def _dotnet(function: Function) -> Path:
    program = shutil.which("dotnet")
    if program is None:
        raise RuntimeMissing(f"{function.runtime}: no `dotnet` was found on PATH")
    return Path(program).resolve()
