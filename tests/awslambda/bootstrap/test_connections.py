"""Management calls of handlers stay in the house: Python's SDK, loaded before or after, and Node's https module."""

from __future__ import annotations

import http.server
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

BOOTSTRAP = Path(__file__).resolve().parents[3] / "src" / "trine" / "awslambda" / "bootstrap"
SEEN = ("POST", "/prod/@connections/abc%3D", "api.execute-api.us-east-1.amazonaws.com")

PYTHON = """
import sys
sys.path.insert(0, {folder!r})
import connections
if {early}:
    import boto3
connections.install()
connections.install()
import boto3
client = boto3.client(
    "apigatewaymanagementapi", endpoint_url="https://api.execute-api.us-east-1.amazonaws.com/prod",
    region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b",
)
client.post_to_connection(ConnectionId="abc=", Data=b"hello")
"""
NODE = """
require({file!r});
const https = require('node:https');
const options = {{ method: 'POST', host: 'api.execute-api.us-east-1.amazonaws.com', path: '/prod/@connections/abc%3D',
                  agent: new https.Agent(), headers: {headers} }};
https.request(options, (answer) => {{ answer.resume(); }}).end('hello');
"""


class _Server(http.server.HTTPServer):
    seen: list[tuple[str, str, str | None]]


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.seen.append((self.command, self.path, self.headers.get("host")))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def house() -> Iterator[_Server]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _run(command: list[str], house: _Server) -> None:
    env = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{house.server_port}", "PATH": "/usr/bin:/bin", "HOME": "/nowhere"}
    result = subprocess.run(command, env=env, capture_output=True, text=True, timeout=50)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("early", [True, False])
def test_python(house: _Server, early: bool) -> None:
    _run([sys.executable, "-c", PYTHON.format(folder=str(BOOTSTRAP), early=early)], house)
    assert house.seen == [SEEN]


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
@pytest.mark.parametrize("headers", ["{}", "{ Host: 'api.execute-api.us-east-1.amazonaws.com' }"])
def test_node(house: _Server, headers: str) -> None:
    script = NODE.format(file=str(BOOTSTRAP / "connections.cjs"), headers=headers)
    _run([str(shutil.which("node")), "-e", script], house)
    assert house.seen == [SEEN]
