"""AWS's DynamoDB Local, fetched once by Maven into a cache outside the repository and run as a child process.

Nothing of it is committed or shipped: its licence lets one use it, not pass it on.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

VERSION = "3.1.0"
MAIN_CLASS = "software.amazon.dynamodb.services.local.main.ServerRunner"
INSTALL_TIMEOUT_SECONDS = 600
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>trine</groupId><artifactId>oracle</artifactId><version>1</version>
<dependencies><dependency><groupId>software.amazon.dynamodb</groupId><artifactId>DynamoDBLocal</artifactId>
<version>{VERSION}</version></dependency></dependencies></project>
"""


class Missing(Exception):
    """Something the oracle needs is not on this machine; the message says what and how to get it."""


def installed(cache: Path) -> Path:
    """The folder with DynamoDB Local's jars, filled by Maven the first time. Raises Missing."""
    if shutil.which("java") is None:
        raise Missing("DynamoDB Local needs Java 17 or newer: no `java` on PATH (Debian: openjdk-17-jre-headless)")
    folder = cache / f"dynamodb-local-{VERSION}"
    if (folder / "complete").exists():
        return folder / "lib"
    if shutil.which("mvn") is None:
        raise Missing("DynamoDB Local is fetched with Maven: no `mvn` on PATH (Debian: maven)")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pom.xml").write_text(POM)
    command = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib", "-DincludeScope=runtime"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_SECONDS)
    if done.returncode != 0:
        raise Missing(f"Maven could not fetch DynamoDB Local {VERSION}:\n{(done.stdout + done.stderr)[-2000:]}")
    (folder / "complete").touch()
    return folder / "lib"


def cache_folder() -> Path:
    """Where the jars are kept: `$XDG_CACHE_HOME/trine` or `~/.cache/trine`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trine"


def command(library: Path, port: int) -> list[str]:
    """The command line of DynamoDB Local in memory on `port`."""
    return [
        "java",
        f"-Djava.library.path={library}",
        "-cp",
        f"{library}/*",
        MAIN_CLASS,
        "-inMemory",
        "-port",
        str(port),
    ]
