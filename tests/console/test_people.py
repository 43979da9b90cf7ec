"""A person at the console: in by a link that counts once, and nobody else through the person's browser."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from trine.cli.client import request as signed
from trine.testing import RunningStack, running

EXAMPLE = Path(__file__).parents[2] / "examples" / "profiles"
OWN = {"x-trine-console": "the session's key"}
"""What a page of the console sends; `Browser` puts the key in."""


class Browser:
    """Sends what a browser would, with one cookie."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        self.address = urlsplit(stack.aws_url)
        self.cookie = self.key = ""

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.address.hostname or "", self.address.port, timeout=20)
        sent = {**({"Cookie": self.cookie} if self.cookie else {}), **(headers or {})}
        if sent.get("x-trine-console") == OWN["x-trine-console"]:
            sent["x-trine-console"] = self.key
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        answer = connection.getresponse()
        found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        connection.close()
        return found

    def link(self) -> str:
        run_file = self.stack.call(self.stack.stack.run_file)
        with signed(run_file, "POST", "/_trine/link", service="trine") as answer:
            url = urlsplit(json.loads(answer.read())["url"])
        return f"{url.path}?{url.query}"

    def log_in(self) -> str:
        _, headers, _ = self.ask("GET", self.link())
        self.cookie = headers["set-cookie"].partition(";")[0]
        self.key = headers["location"].partition("#key=")[2]
        return headers["set-cookie"]


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    with running(EXAMPLE) as started:
        yield started


@pytest.fixture
def browser(stack: RunningStack) -> Browser:
    return Browser(stack)


def test_a_link_opens_the_console_once(browser: Browser) -> None:
    assert b"The console is closed" in browser.ask("GET", "/_trine/")[2]
    link = browser.link()
    status, headers, _ = browser.ask("GET", link)
    assert status == 303
    page, _, browser.key = headers["location"].partition("#key=")
    assert page == "/_trine/"
    assert headers["set-cookie"].endswith("; Path=/_trine/; HttpOnly; SameSite=Strict")
    again = browser.ask("GET", link)
    assert (again[0], again[1].get("set-cookie")) == (303, None), "a stolen or used link opens nothing"
    browser.cookie = headers["set-cookie"].partition(";")[0]
    status, headers, page = browser.ask("GET", "/_trine/")
    assert b'<script type="module"' in page
    assert headers["x-frame-options"] == "DENY"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    status, _, body = browser.ask("GET", "/_trine/description", OWN)
    assert (status, json.loads(body)["stackName"]) == (200, "profiles")


def test_a_link_that_is_only_looked_at_still_opens(browser: Browser) -> None:
    link = browser.link()
    for method, headers in (
        ("HEAD", {}),
        ("GET", {"Sec-Purpose": "prefetch;prerender"}),
        ("GET", {"Purpose": "prefetch"}),
    ):
        status, found, _ = browser.ask(method, link, headers)
        assert (status, "set-cookie" in found) == (503, False)
    assert "set-cookie" in browser.ask("GET", link)[1]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-trine-console": "1"},
        {"x-trine-console": ""},
        {**OWN, "Host": "evil.example:4566"},
        {**OWN, "Host": "127.0.0.1.evil.example"},
        {**OWN, "Sec-Fetch-Site": "cross-site"},
        {**OWN, "Sec-Fetch-Site": "same-site"},
        {**OWN, "Origin": "http://evil.example"},
        {**OWN, "Origin": "null"},
    ],
)
def test_other_sites_cannot_use_a_persons_session(browser: Browser, headers: dict[str, str]) -> None:
    browser.log_in()
    given = {"service": "dynamodb", "operation": "ListTables", "input": {}}
    for method, path, body in (("GET", "/_trine/description", None), ("POST", "/_trine/call", given)):
        status, _, answer = browser.ask(method, path, headers, body)
        assert status == 403, path
        assert b"AccessDeniedException" in answer


def test_a_function_that_gets_the_cookie_gets_nowhere_with_it(browser: Browser) -> None:
    """A browser sends the cookie to every port of the host: a function at the front door may read and use it."""
    browser.log_in()
    thief = Browser(browser.stack)
    thief.cookie = browser.cookie
    session = thief.cookie.partition("=")[2]
    for key in ("", "1", session):
        status, _, answer = thief.ask("GET", "/_trine/description", {"x-trine-console": key})
        assert (status, b"AccessDeniedException" in answer) == (403, True)
    assert browser.key.encode() not in thief.ask("GET", "/_trine/")[2], "nor does the page tell it"
    other = Browser(browser.stack)
    other.log_in()
    thief.key = other.key
    assert thief.ask("GET", "/_trine/description", OWN)[0] == 403, "a key belongs to one session"


def test_a_rebound_name_gets_not_even_the_page(browser: Browser) -> None:
    for path in ("/_trine/", "/_trine/assets/app.js", browser.link()):
        assert browser.ask("GET", path, {"Host": "rebound.example"})[0] == 403


def test_without_a_session_nothing_is_shown(browser: Browser) -> None:
    assert browser.ask("GET", "/_trine/description", OWN)[0] in (400, 403)
    browser.cookie = "trine_session=guess"
    assert browser.ask("GET", "/_trine/description", OWN)[0] == 403
    browser.log_in()
    assert browser.ask("POST", "/_trine/logout", OWN)[0] == 200
    assert browser.ask("GET", "/_trine/description", OWN)[0] == 403


def test_what_does_something_is_only_posted(browser: Browser) -> None:
    browser.log_in()
    for view in ("call", "invoke", "try", "link", "logout"):
        assert browser.ask("GET", f"/_trine/{view}", OWN)[0] == 404


def test_assets_are_files_of_the_package_and_nothing_else(browser: Browser) -> None:
    status, headers, _ = browser.ask("GET", "/_trine/assets/app.js")
    assert (status, headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert browser.ask("GET", "/_trine/assets/app.js", {"If-None-Match": headers["etag"]})[0] == 304
    for path in ("../door.py", "..%2fdoor.py", "/etc/passwd", "index.html", "nope.js", "", "app.js%00", "./app.js"):
        assert browser.ask("GET", f"/_trine/assets/{path}")[0] == 404, path


def test_calls_are_made_as_the_owner_and_traced(browser: Browser, stack: RunningStack) -> None:
    browser.log_in()

    def post(view: str, document: Any) -> Any:
        status, _, body = browser.ask("POST", f"/_trine/{view}", OWN, document)
        assert status == 200, body
        return json.loads(body)

    tables = post("call", {"service": "dynamodb", "operation": "ListTables", "input": {}})
    (table,) = json.loads(tables["body"])["TableNames"]
    assert stack.explain(tables["requestId"]) is not None
    wrong = post("call", {"service": "dynamodb", "operation": "GetItem", "input": {"TableName": table, "Key": {}}})
    assert (wrong["status"], "ValidationException" in wrong["body"]) == (400, True)
    functions = {one["logicalId"]: one["name"] for one in stack.description["functions"]}
    done = post("invoke", {"function": functions["GetProfile"], "payload": '{"pathParameters": {"id": "x"}}'})
    assert done["status"] == 200
    assert "START RequestId" in done["log"]
    tried = post("try", {"method": "GET", "url": f"{stack.url}/users/nobody", "headers": {}, "sign": True})
    assert tried["status"] == 404
    assert tried["requestId"] is not None
    for document in (
        {"method": "GET", "url": "http://169.254.169.254/latest"},
        {"method": "GET", "url": "file:///etc/passwd"},
        {"method": "G T", "url": f"{stack.url}/"},
        {"method": "GET", "url": f"{stack.url}/ x"},
        {"method": "GET", "url": f"{stack.url}@evil.example/"},
        {"method": "GET", "url": f"{stack.url}.evil.example/"},
        {"method": "GET", "url": stack.aws_url},
        {"method": "GET", "url": f"{stack.url}/", "headers": {"a": "b\r\nx: y"}},
        {"method": "GET", "url": f"{stack.url}/", "headers": {"a\r\nx": "y"}},
        {"method": "GET / HTTP/1.1\r\nx: y\r\n\r\nGET", "url": f"{stack.url}/"},
    ):
        status, _, body = browser.ask("POST", "/_trine/try", OWN, document)
        assert (status, b"ValidationException" in body) == (400, True), document
    for document in ([], "x", None, {"service": "iam", "operation": "ListUsers"}):
        assert browser.ask("POST", "/_trine/call", OWN, document)[0] == 400
