"""Types of options that several commands take: a wrong value is told before anything starts, with exit code 2."""

from __future__ import annotations

from pathlib import Path

import click

PORT = click.IntRange(0, 65_535)
STATE = click.Path(path_type=Path, file_okay=False)
"""A directory, there or not yet."""
