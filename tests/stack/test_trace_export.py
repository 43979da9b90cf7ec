"""Traces at a collector: what leaves as OTLP is what happened, and a collector that is not there hurts nobody."""

from __future__ import annotations

import http.server
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.waiting import wait_until
from trine.clock import ManualClock
from trine.stack.trace_export import WAITING_MAX, TraceExport, origin_of
from trine.testing import running
from trine.trace import Trace, TraceBook

EXAMPLE = Path(__file__).parents[2] / "examples" / "profiles"


class Collector:
    """Takes what is posted to it."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                assert self.path == "/v1/traces"
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    for scope in resource.scope_spans:
                        collector.spans += scope.spans
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def collector() -> Iterator[Collector]:
    started = Collector()
    yield started
    started.server.shutdown()
    started.server.server_close()


def test_a_request_and_all_it_caused_are_one_trace(collector: Collector) -> None:
    with running(EXAMPLE, otlp_endpoint=collector.url) as stack, pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{stack.url}/users/nobody", timeout=20)
    spans = {span.name: span for span in collector.spans}
    door = spans["GET /Prod/users/nobody"]
    (function,) = [span for span in collector.spans if span.parent_span_id == door.span_id]
    (table,) = [span for span in collector.spans if span.parent_span_id == function.span_id]
    assert door.trace_id == function.trace_id == table.trace_id
    assert table.name.startswith("dynamodb:GetItem")
    assert {event.name for event in door.events} >= {"apigateway.router", "apigateway.response"}
    statuses = {each.key: each.value.int_value for each in door.attributes}
    assert statuses["http.response.status_code"] == 404
    assert door.start_time_unix_nano <= function.start_time_unix_nano < door.end_time_unix_nano


ECHO = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: |
        import json, os
        def handler(event, context):
            return {"statusCode": 200, "body": json.dumps({
                "headers": event["headers"], "environment": os.environ.get("_X_AMZN_TRACE_ID")})}
      Events: {Any: {Type: HttpApi, Properties: {Path: /echo, Method: get}}}
"""
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_callers_trace_goes_on_and_its_headers_reach_the_handler(collector: Collector, tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(ECHO)
    amazon = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    with running(tmp_path, otlp_endpoint=collector.url) as stack:

        def echo(**headers: str) -> dict[str, Any]:
            request = urllib.request.Request(f"{stack.url}/echo", headers=headers)
            with urllib.request.urlopen(request, timeout=20) as answer:
                found: dict[str, Any] = json.loads(answer.read())
                return found

        got = echo(traceparent=f"00-{TRACE}-{SPAN}-01", tracestate="a=1")
        assert got["headers"]["traceparent"] == f"00-{TRACE}-{SPAN}-01"
        assert got["headers"]["tracestate"] == "a=1"
        assert got["headers"]["x-amzn-trace-id"].startswith("Root=1-")
        got = echo(**{"X-Amzn-Trace-Id": amazon})
        assert got["headers"]["x-amzn-trace-id"] == amazon
        assert got["environment"].startswith("Root=1-5759e988-bd862e3fe1be46a994272793")
        echo(traceparent="00-zz")
    doors = [span for span in collector.spans if span.name.startswith("GET ")]
    assert [(span.trace_id.hex(), span.parent_span_id.hex()) for span in doors[:2]] == [
        (TRACE, SPAN),
        ("5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8"),
    ]
    assert doors[2].parent_span_id == b""
    assert doors[2].trace_id.hex() not in (TRACE, "0" * 32)
    functions = [span for span in collector.spans if span.parent_span_id == doors[0].span_id]
    assert [span.trace_id.hex() for span in functions] == [TRACE]


@pytest.mark.parametrize("origin", [
    (None, None), (b"", b""), (b"00-" + b"0" * 32 + b"-" + b"1" * 16 + b"-01", None), (b"00-ab-cd-01", b"Root=2-1-2"),
    (b"\xff" * 60, b"Root=1-5759e988-bd862e3fe1be46a99427279"),
])  # fmt: skip
def test_nonsense_begins_a_trace_of_its_own(origin: tuple[bytes | None, bytes | None]) -> None:
    trace = Trace.begun("apigateway", "1", ManualClock())
    trace.origin = origin
    assert origin_of(trace) is None


def test_a_collector_that_is_not_there_is_told_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    book = TraceBook(ManualClock(1_800_000_000.0))
    export = TraceExport(book.follow, "http://127.0.0.1:9/v1/traces", "stack", "us-east-1")
    for number in range(5 * WAITING_MAX):  # the exporter takes some away meanwhile, on a busy machine several batches
        book.close(book.open("lambda", str(number)), 200)
        if export.dropped >= 3:
            break
    assert export.dropped >= 3, "what waits is bounded"
    export.close()
    wait_until(lambda: not export._thread.is_alive(), "the exporter's last try")  # `close` waits a few seconds at most
    assert "traces were not sent to the collector" in caplog.text
