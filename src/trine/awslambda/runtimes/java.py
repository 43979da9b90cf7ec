"""Java: a built package, run by AWS's runtime client, which it has to bring.

Classes lie at the package's root, jars in `lib`, those of layers in /opt/java/lib; AWS's image brings the runtime
client beside that. https://docs.aws.amazon.com/lambda/latest/dg/java-package.html
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace

from trine.awslambda.runtimes.runtime import Runtime, RuntimeMissing, Scene

if TYPE_CHECKING:
    from trine.awslambda.environments.process import Launch
    from trine.awslambda.function import Function

_MAIN = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda"
_CLIENT = Path(*_MAIN.split(".")).with_suffix(".class")
_CLIENT_JAR = "aws-lambda-java-runtime-interface-client*.jar"
_HEAP_PERCENT = 80
"""Of the function's memory; the rest is the virtual machine's own."""


class Java(Runtime):
    """The machine's own `java`."""

    family = "java"
    snap_start_since = (11,)
    projects: ClassVar[Mapping[str, str]] = {"pom.xml": "maven"}

    def program(self, scene: Scene) -> Launch:
        """The client's main class. Raises RuntimeMissing."""
        function, place = scene.function, scene.place
        java = shutil.which("java")
        if java is None:
            raise RuntimeMissing(f"{function.runtime}: no `java` was found on PATH")
        if not _brings_client(function):
            raise RuntimeMissing(
                f"{function.runtime}: the package has no com.amazonaws:aws-lambda-java-runtime-interface-client; AWS's "
                "image brings it along, here it has to be among the dependencies"
            )
        real = Path(java).resolve()
        classes = f"{place.directory}:{place.directory}/lib/*:{scene.opt}/java/lib/*"
        heap = f"-Xmx{function.memory_mb * _HEAP_PERCENT // 100}m"
        options = (heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classes)
        return replace(
            place,
            env=scene.env,
            argv=(str(real), *options, _MAIN, function.handler),
            visible=(*place.visible, str(real.parent.parent)),
        )

    def note(self, name: str, python: str) -> str | None:
        """Whether there is a `java`."""
        return None if shutil.which("java") else f"{name}: no `java` was found on PATH"


def _brings_client(function: Function) -> bool:
    folders = [function.code_directory, function.code_directory / "lib"]
    if function.layers_directory is not None:
        folders.append(function.layers_directory / "java" / "lib")
    return any((folder / _CLIENT).exists() or any(folder.glob(_CLIENT_JAR)) for folder in folders)
