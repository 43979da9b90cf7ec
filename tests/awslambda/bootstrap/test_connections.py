"""Calls to AWS's own addresses stay in the house: management calls of handlers, signed requests of older SDKs, keys of
user pools; Python's SDK and HTTP clients, loaded before or after, and Node's https module and fetch."""

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

JWKS = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab1/.well-known/jwks.json"
SEEN_JWKS = ("GET", "/eu-west-1_Ab1/.well-known/jwks.json", "cognito-idp.eu-west-1.amazonaws.com")
PYTHON_KEYS = """
import sys, warnings
warnings.simplefilter("error")
sys.path.insert(0, {folder!r})
import connections
if {early}:
    import http.client, urllib3.connection
connections.install()
connections.install()
import http.client, urllib.request, urllib3
assert urllib.request.urlopen({url!r}).status == 200
assert urllib3.PoolManager().request("GET", {url!r}).status == 200
for elsewhere in ("https://127.0.0.1:9/eu-west-1_Ab1/.well-known/jwks.json",):
    try:
        urllib.request.urlopen(elsewhere)
    except OSError:
        continue
    raise AssertionError(elsewhere)
"""
NODE_CALL = """
require({file!r});
const https = require('node:https');
const get = (...values) => new Promise((resolve, reject) =>
  https.get(...values, (answer) => {{ answer.resume(); answer.on('end', resolve); }}).on('error', reject));
(async () => {{ {body} }})().catch((error) => {{ console.error(error); process.exit(1); }});
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

    do_GET = do_POST

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


@pytest.mark.parametrize("early", [True, False])
def test_python_finds_the_keys_of_user_pools(house: _Server, early: bool) -> None:
    _run([sys.executable, "-c", PYTHON_KEYS.format(folder=str(BOOTSTRAP), early=early, url=JWKS)], house)
    assert house.seen == [SEEN_JWKS] * 2


def _node(body: str, house: _Server) -> None:
    script = NODE_CALL.format(file=str(BOOTSTRAP / "connections.cjs"), body=body)
    _run([str(shutil.which("node")), "-e", script], house)


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
@pytest.mark.parametrize(
    "call",
    [
        "await get({url!r});",
        "await get(new URL({url!r}), {{ headers: {{ accept: '*/*' }} }});",
        "await get({{ hostname: 'cognito-idp.eu-west-1.amazonaws.com', path: new URL({url!r}).pathname }});",
    ],
)
def test_node_finds_the_keys_of_user_pools(house: _Server, call: str) -> None:
    _node(call.format(url=JWKS), house)
    assert house.seen == [SEEN_JWKS]


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_node_fetches_the_keys_of_user_pools(house: _Server) -> None:
    _node(f"await (await fetch({JWKS!r})).text();", house)
    assert [seen[:2] for seen in house.seen] == [SEEN_JWKS[:2]]


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_what_is_signed_for_aws_stays_and_nothing_else(house: _Server) -> None:
    """As version 2 of the AWS SDK for JavaScript calls DynamoDB, which knows no AWS_ENDPOINT_URL."""
    _node(
        """
        const to = { host: 'dynamodb.eu-west-1.amazonaws.com', port: 443, path: '/', agent: new https.Agent() };
        await get({ ...to, headers: { Authorization: 'AWS4-HMAC-SHA256 Credential=a', Host: to.host } });
        await get('https://sqs.eu-west-1.amazonaws.com/?Action=x&X-Amz-Signature=1');
        const elsewhere = [[{ host: '127.0.0.1', port: 9, headers: { authorization: 'AWS4-HMAC-SHA256 x' } }],
                           ['https://127.0.0.1:9/@connection?X-Amz-Signature=1'], [{ host: '127.0.0.1', port: 9 }]];
        for (const values of elsewhere) {
          const error = await get(...values).catch((refused) => refused);
          if (error?.code !== 'ECONNREFUSED') throw new Error(`${values}: ${error}`);
        }
        """,
        house,
    )
    assert [seen[2] for seen in house.seen] == ["dynamodb.eu-west-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com"]
