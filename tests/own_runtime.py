"""The Lambda runtime of the Python that runs these tests: its functions fork from the server's own interpreter.

Tests of what lies beside that interpreter (its packages, its sandbox) ask for it by this name; others may name any.
"""

from __future__ import annotations

import sys

OWN_RUNTIME = f"python3.{sys.version_info.minor}"
