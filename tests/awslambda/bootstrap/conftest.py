"""The Node.js client is tested where Node.js is installed."""

from __future__ import annotations

import shutil

collect_ignore = [] if shutil.which("node") else ["test_node.py"]
