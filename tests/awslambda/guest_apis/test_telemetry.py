"""The Telemetry API: an extension subscribes and hears, in AWS's schema, what happens in its environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until
from trine.awslambda.guest_apis.telemetry import LOGS, TELEMETRY, Telemetry
from trine.awslambda.guest_apis.telemetry_delivery import InvalidSubscription
from trine.clock import ManualClock

WISH: dict[str, Any] = {
    "schemaVersion": "2022-12-13",
    "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4243/telemetry"},
    "types": ["platform", "function"],
    "buffering": {"maxItems": 1000, "maxBytes": 262144, "timeoutMs": 25},
}
EXTENSION = """#!{python}
import http.server, json, os, sys, threading, urllib.error, urllib.request

API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"]
HEARD = []

class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        events = json.loads(self.rfile.read(int(self.headers["content-length"])))
        for event in events:
            print("HEARD", json.dumps(event), flush=True)
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass

server = http.server.HTTPServer(({host!r}, 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()

def ask(method, path, headers, body=None):
    data = body and json.dumps(body).encode()
    request = urllib.request.Request(API + path, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()

_, headers, _ = ask("POST", "/2020-01-01/extension/register", {{"Lambda-Extension-Name": "watcher"}},
                    {{"events": ["INVOKE", "SHUTDOWN"]}})
me = {{"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}}
wish = {wish}
print("REFUSED", ask("PUT", "{path}", me, {{**wish, "types": ["metrics"]}})[0], flush=True)
wish["destination"]["URI"] = "http://sandbox.localdomain:%d/telemetry" % server.server_port
print("SUBSCRIBED", *ask("PUT", "{path}", me, wish)[::2], flush=True)
while True:
    _, _, event = ask("GET", "/2020-01-01/extension/event/next", me)
    if json.loads(event)["eventType"] == "SHUTDOWN":
        break
"""


def host(lab: Any) -> str:
    """Where the extension listens: by AWS's name, where an environment has a file system of its own."""
    return "sandbox.localdomain" if lab.layers.namespaces else "127.0.0.1"


def layer(lab: Any, folder: Path, path: str, wish: dict[str, Any]) -> str:
    """A layer with the extension; its version's ARN."""
    place = folder / "layer" / "extensions"
    place.mkdir(parents=True)
    (place / "watcher").write_text(EXTENSION.format(python=sys.executable, wish=wish, path=path, host=host(lab)))
    (place / "watcher").chmod(0o755)
    arn: str = lab.service.deployment.put_layer({"LayerName": folder.name.replace("_", "-")}, folder / "layer")
    return arn


def heard(lab: Any, name: str) -> list[dict[str, Any]]:
    lines = lab.log(name).splitlines()
    return [json.loads(line.removeprefix("HEARD ")) for line in lines if line.startswith("HEARD ")]


@pytest.mark.parametrize(
    ("path", "schema"), [("/2022-07-01/telemetry", "2022-12-13"), ("/2020-08-15/logs", "2021-03-18")]
)
def test_an_extension_hears_what_happens(lab: Any, tmp_path: Path, path: str, schema: str) -> None:
    name = f"told-{path.rpartition('/')[2]}"
    arn = layer(lab, tmp_path, path, {**WISH, "schemaVersion": schema})
    lab.put("app.write_lines", name, Layers=[arn], MemorySize=512)
    response = lab.invoke(name, {"lines": 3})
    assert response.function_error is None

    def kinds() -> list[str]:
        return [event["type"] for event in heard(lab, name)]

    lab.run(until(lambda: "platform.report" in kinds()))
    events = heard(lab, name)
    order = [kind for kind in kinds() if kind not in ("function", "platform.telemetrySubscription")]
    assert [kind for kind in order if kind != "platform.logsSubscription"] == [
        "platform.initStart",
        "platform.initRuntimeDone",
        "platform.extension",
        "platform.initReport",
        "platform.start",
        "platform.runtimeDone",
        "platform.report",
    ]
    report = next(event["record"] for event in events if event["type"] == "platform.report")
    assert (report["requestId"], report["status"]) == (response.request_id, "success")
    assert {"durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB", "initDurationMs"} <= {
        *report["metrics"]
    }
    assert [event["record"] for event in events if event["type"] == "function"]
    log = lab.log(name)
    assert "REFUSED 400" in log
    assert "SUBSCRIBED 200 b'\"OK\"'" in log
    # What the extension itself writes comes to it as another type, for which it did not ask: nothing goes in circles.
    assert not [event for event in events if "HEARD" in str(event["record"])]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"schemaVersion": "1999-01-01"}, "schemaVersion"),
        ({"types": []}, "types"),
        ({"types": ["metrics"]}, "types"),
        ({"destination": {"protocol": "UDP", "port": 1}}, "protocol"),
        ({"destination": {"protocol": "HTTP", "URI": "http://example.org/"}}, "sandbox.localdomain"),
        ({"destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:x/"}}, "no address"),
        ({"buffering": {"maxItems": 1}}, "maxItems"),
        ({"buffering": {"timeoutMs": "25"}}, "timeoutMs"),
        ({"buffering": 7}, "maxItems"),
    ],
)
def test_subscriptions_that_are_refused(change: dict[str, Any], word: str) -> None:
    telemetry = Telemetry(ManualClock(), lambda work: work.close())
    with pytest.raises(InvalidSubscription, match=word):
        telemetry.subscribe("watcher", json.dumps({**WISH, **change}).encode(), TELEMETRY)


def test_bodies_that_are_none() -> None:
    telemetry = Telemetry(ManualClock(), lambda work: work.close())
    for body in (b"", b"{", b"[]"):
        with pytest.raises(InvalidSubscription, match="body"):
            telemetry.subscribe("watcher", body, LOGS)


def test_where_nothing_can_be_delivered_it_is_accepted_and_nothing_more() -> None:
    telemetry = Telemetry(ManualClock(), lambda work: work.close(), is_reachable=False)
    assert telemetry.subscribe("watcher", json.dumps(WISH).encode(), TELEMETRY) is False


def test_a_receiver_that_is_not_there_loses_events_and_stops_nothing(lab: Any, tmp_path: Path) -> None:
    place = tmp_path / "layer" / "extensions"
    place.mkdir(parents=True)
    text = EXTENSION.format(python=sys.executable, wish=WISH, path="/2022-07-01/telemetry", host="127.0.0.1")
    (place / "watcher").write_text(text.replace("% server.server_port", "% 1"))
    (place / "watcher").chmod(0o755)
    arn = lab.service.deployment.put_layer({"LayerName": "deaf"}, tmp_path / "layer")
    lab.put("app.hello", "deaf", Layers=[arn], MemorySize=512)
    for _ in range(3):
        assert json.loads(lab.invoke("deaf").payload) == {"hello": "world"}
    assert heard(lab, "deaf") == []
