"""The profiles example keeps what its OpenAPI document promises, tried by schemathesis."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from trine.testing import running

EXAMPLE = Path(__file__).parents[2] / "examples" / "profiles"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "use_after_free",
    "ensure_resource_availability",
)
"""Those that AWS's front door can pass: an undeclared method is its 403, not a 405, and the example takes more e-mail
addresses than its document promises."""


@pytest.mark.slow
def test_schemathesis_finds_nothing() -> None:
    program = Path(sys.executable).with_name("schemathesis")
    with running(EXAMPLE / "template.yaml") as stack:
        command = [program, "run", str(EXAMPLE / "openapi.yaml"), "--url", stack.url, "--checks", ",".join(CHECKS)]
        done = subprocess.run(
            [*command, "--max-examples", "25", "--no-color"], capture_output=True, text=True, timeout=280, check=False
        )
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
