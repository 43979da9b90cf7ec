"""The console in a real browser: every page is clicked through, live, hostile values are text, nothing goes elsewhere.

Needs Chromium (`chromium` on PATH, or CHROMIUM_PATH) and Playwright, which drives it. Screenshots go to
`.pytest_artefacts/console`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trine.cli.client import request as signed
from trine.testing import RunningStack, running

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "profiles"
ARTEFACTS = ROOT / ".pytest_artefacts" / "console"
CHROMIUM = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]
HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\">\u202e\u0007</td></table><script>document.title='owned'</script>"
)
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run", "--disable-quic"]  # fmt: skip


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    with running(EXAMPLE) as started:
        for number in range(3):
            create(started, f"u{number}", HOSTILE)
        yield started


def create(stack: RunningStack, name: str, shown: str) -> None:
    body = json.dumps({"id": name, "name": shown, "email": f"{name}@example.com"}).encode()
    with urllib.request.urlopen(
        urllib.request.Request(f"{stack.url}/users", body, method="POST"), timeout=20
    ) as answer:
        assert answer.status == 201


class Window:
    """One page of a browser, signed in, that notes what goes wrong and where it asks."""

    def __init__(self, page: Any, stack: RunningStack) -> None:
        self.page, self.stack = page, stack
        self.faults: list[str] = []
        self.elsewhere: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)
        page.on("request", self._note)
        with signed(stack.call(stack.stack.run_file), "POST", "/_trine/link", service="trine") as answer:
            page.goto(json.loads(answer.read())["url"])
        page.wait_for_selector("svg.map")

    def _note(self, request: Any) -> None:
        if not request.url.startswith(self.stack.aws_url):
            self.elsewhere.append(request.url)

    def open(self, view: str) -> None:
        self.page.click(f"a[data-view={view}]")
        self.page.wait_for_selector(f"a[data-view={view}][aria-current=page]")
        self.page.wait_for_selector("main h1")

    def keep(self, name: str) -> None:
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(ARTEFACTS / f"{name}.png"), full_page=True)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(params=["light", "dark"])
def window(request: pytest.FixtureRequest, chromium: Any, stack: RunningStack) -> Iterator[Window]:
    context = chromium.new_context(color_scheme=request.param, viewport={"width": 1280, "height": 900})
    opened = Window(context.new_page(), stack)
    yield opened
    assert opened.faults == []
    assert opened.elsewhere == [], "no request to any other host"
    assert opened.page.title() != "owned"
    context.close()


def test_every_page_shows_itself(window: Window, request: pytest.FixtureRequest) -> None:
    page, scheme = window.page, request.node.callspec.params["window"]
    window.keep(f"map-{scheme}")
    for view, sign in (
        ("requests", "td a"), ("routes", "button:has-text('Try it')"), ("functions", "text=CreateProfile"),
        ("tables", "td a"), ("roles", "text=The smallest policy"), ("bill", "svg.plot"),
        ("manifest", "text=enforced"),
    ):  # fmt: skip
        window.open(view)
        page.wait_for_selector(sign)
        assert page.locator("[role=alert]").count() == 0
        window.keep(f"{view}-{scheme}")


def test_the_map_lives(window: Window) -> None:
    page = window.page
    page.wait_for_selector("#state.live")  # somebody looks: from now on it counts
    with urllib.request.urlopen(f"{window.stack.url}/users/u1", timeout=20) as answer:
        assert answer.status == 200
    page.wait_for_selector("svg.map path.edge", state="attached")
    assert "1 warm" in page.locator("svg.map").text_content()


def test_a_press_outlives_the_next_drawing(window: Window) -> None:
    page = window.page
    window.open("requests")
    page.wait_for_selector("td a")
    page.locator("td a").first.hover()
    page.mouse.down()
    with page.expect_response(lambda answer: "/_trine/requests" in answer.url):
        pass  # the list would be drawn anew now
    with page.expect_response(lambda answer: "/_trine/requests" in answer.url):
        pass
    page.mouse.up()
    page.wait_for_selector(".track")


def test_a_stack_nobody_has_called_says_what_to_do(chromium: Any) -> None:
    with running(EXAMPLE) as fresh:
        opened = Window(chromium.new_context().new_page(), fresh)
        assert opened.page.locator("svg.map path.edge.idle").count() > 0, "how the template joins its parts"
        opened.open("requests")
        opened.page.wait_for_selector("text=No request has come yet")
        assert opened.faults == []
        opened.page.context.close()


def test_no_page_is_wider_than_a_phone(chromium: Any, stack: RunningStack) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 800})
    opened = Window(context.new_page(), stack)
    for view in ("map", "requests", "routes", "functions", "tables", "roles", "bill", "manifest"):
        opened.open(view)
        opened.page.wait_for_selector("main h1 ~ *")
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= 390, view
        opened.keep(f"{view}-narrow")
    context.close()


def test_a_list_is_scrolled_by_keyboard_while_it_lives(window: Window) -> None:
    page = window.page
    for number in range(40):
        with urllib.request.urlopen(f"{window.stack.url}/users/u{number % 3}", timeout=20) as answer:
            assert answer.status == 200
    window.open("requests")
    page.wait_for_selector(".scroll.tall[role=region][tabindex='0']")
    page.locator(".scroll.tall").focus()
    page.keyboard.press("End")
    page.wait_for_function("() => document.querySelector('.tall').scrollTop > 0")
    drawn = page.locator(".scroll.tall").element_handle()
    page.wait_for_function("(before) => document.querySelector('.tall') !== before", arg=drawn)
    assert page.evaluate("document.activeElement.matches('.tall')")
    assert page.evaluate("document.querySelector('.tall').scrollTop") > 0


def test_the_focus_stays_while_the_map_is_drawn_anew(window: Window) -> None:
    page = window.page
    page.locator("svg.map a").first.focus()
    drawn = page.locator("svg.map").element_handle()
    page.wait_for_function("(before) => document.querySelector('svg.map') !== before", arg=drawn)
    assert page.evaluate("document.activeElement.getAttribute('data-keep')").startswith("door ")


def test_a_bill_by_every_grouping(window: Window) -> None:
    page = window.page
    window.open("bill")
    page.wait_for_selector("svg.plot")
    for grouping in page.locator("select").nth(1).locator("option").all_inner_texts():
        page.select_option("select >> nth=1", grouping)
        page.wait_for_selector(f"th:has-text('{grouping}')")
    assert page.locator("[role=alert]").count() == 0


def test_a_request_and_what_stopped_it(window: Window) -> None:
    page = window.page
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{window.stack.url}/nowhere", timeout=20)
    window.open("requests")
    page.fill("input[type=search]", "nowhere")
    page.wait_for_selector("td a:has-text('nowhere')")
    page.click("td a:has-text('nowhere')")
    page.wait_for_selector("text=Refused by apigateway.router")
    assert page.locator(".track").count() > 0
    assert page.locator("text=Receipt").count() == 1


def test_leaving_a_page_while_its_answer_is_on_its_way_is_no_fault(window: Window) -> None:
    window.open("requests")
    window.page.route(re.compile("/_trine/requests"), lambda route: None)  # nobody answers
    for sought in ("users", "ada"):  # the second does not wait for the first
        with window.page.expect_request(re.compile(f"text={sought}&")):
            window.page.fill("input[type=search]", sought)
    window.open("bill")
    window.open("routes")
    assert window.faults == []
    window.page.goto(f"{window.stack.aws_url}/_trine/#/requests/%E0%A4%A")  # an address that nobody can read
    window.page.wait_for_selector("svg.map")
    assert window.faults == []


def test_a_filter_shows_what_was_asked_last(window: Window) -> None:
    window.open("requests")
    window.page.fill("input[type=search]", "no such request")
    window.page.wait_for_selector("text=no request fits")
    window.page.fill("input[type=search]", "")
    window.page.wait_for_selector("main table a")
    window.page.reload()
    window.page.wait_for_selector("main table a")


def test_a_route_is_tried_and_a_function_invoked(window: Window) -> None:
    page = window.page
    window.open("routes")
    page.locator("tr:has-text('/users/{id}')", has_text="GET").first.locator("button").click()
    url = page.locator("form.card input[size='60']")
    url.fill(url.input_value().replace("{id}", "u1"))
    page.click("text=Send")
    page.wait_for_selector("text=what happened to it")
    assert "u1@example.com" in page.locator("form.card pre").last.inner_text()
    window.open("functions")
    page.click("text=GetProfile")
    page.fill("textarea", "{not json")
    page.click("button:has-text('Invoke')")
    page.wait_for_selector("text=the event is no JSON")
    page.fill("textarea", '{"pathParameters": {"id": "u1"}}')
    page.click("button:has-text('Invoke')")
    page.wait_for_selector("text=what happened")
    page.wait_for_selector("pre:has-text('REPORT RequestId')")


def test_hostile_values_are_text(window: Window) -> None:
    page = window.page
    long = "<b>" + "x" * 380_000
    window.stack.client("dynamodb").put_item(
        TableName=window.stack.description["tables"][0]["name"],
        Item={"id": {"S": "long"}, "record": {"S": "profile"}, "name": {"S": long}},
    )
    window.open("tables")
    page.click("td a")
    page.click("text=Scan (reads everything)")
    page.wait_for_selector("text=read units")
    cells = page.locator("td:has-text('onerror')")
    assert cells.count() >= 3
    assert "<script>" in cells.first.inner_text()
    assert page.locator(".strange:has-text('U+202E')").count() >= 3
    assert page.locator("main img, main script, main td b").count() == 0
    page.click("button:has-text('show all')")
    page.wait_for_function("(length) => document.querySelector('main').innerText.length > length", arg=len(long))
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{window.stack.url}/%3Cimg%20src=x%20onerror=1%3E%E2%80%AE", timeout=20)
    window.open("requests")
    page.fill("input[type=search]", "onerror")
    page.wait_for_selector("td a:has-text('onerror')")
    assert page.locator("main img").count() == 0
    window.open("functions")
    page.click("text=GetProfile")
    page.fill("textarea", json.dumps({"pathParameters": {"id": HOSTILE}}))
    page.click("button:has-text('Invoke')")
    page.wait_for_selector("text=what happened")
    assert page.locator("main img, main script").count() == 0


def test_editing_never_overwrites_what_somebody_else_changed(window: Window, request: pytest.FixtureRequest) -> None:
    page, name = window.page, f"edited-{request.node.callspec.params['window']}"
    create(window.stack, name, "before")
    window.open("tables")
    page.click("td a")
    page.fill("input[required]", name)
    page.click("button:has-text('Query')")
    page.wait_for_selector("td:has-text('before')")
    page.click("td button:has-text('Edit')")
    area = page.locator("dialog textarea")
    text = area.input_value()
    body = json.dumps({"name": "meanwhile"}).encode()
    change = urllib.request.Request(f"{window.stack.url}/users/{name}", body, method="PUT")
    with urllib.request.urlopen(change, timeout=20) as answer:
        assert answer.status == 200
    area.fill(text.replace("before", "mine"))
    page.click("dialog button:has-text('Save')")
    page.wait_for_selector("text=somebody has changed the item since it was read")
    page.click("dialog button:has-text('Cancel')")
    page.click("button:has-text('Query')")
    page.wait_for_selector("td:has-text('meanwhile')")
    page.click("td button:has-text('Edit')")
    area.fill(area.input_value().replace("meanwhile", "mine"))
    page.click("dialog button:has-text('Save')")
    page.wait_for_selector("td:has-text('mine')")


def test_by_keyboard_alone(window: Window) -> None:
    page = window.page
    page.keyboard.press("Tab")
    page.wait_for_selector("a.skip:focus")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.wait_for_selector("a[data-view=routes]:focus")
    page.keyboard.press("Enter")
    page.wait_for_selector("a[data-view=routes][aria-current=page]")
    page.wait_for_selector("main:focus", state="attached")


def test_ten_thousand_items_are_paged(window: Window, stack: RunningStack) -> None:
    client = stack.client("dynamodb")
    page = window.page
    name = f"many-{id(window)}"
    client.create_table(
        TableName=name, BillingMode="PROVISIONED", KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 40_000, "WriteCapacityUnits": 40_000},
    )  # fmt: skip
    for start in range(0, 10_000, 25):
        wishes = [
            {"PutRequest": {"Item": {"p": {"S": f"k{n}"}, "big": {"S": "x" * 50}}}} for n in range(start, start + 25)
        ]
        while wishes:
            wishes = client.batch_write_item(RequestItems={name: wishes})["UnprocessedItems"].get(name, [])
    window.open("tables")
    page.click(f"text={name}")
    page.click("text=Scan (reads everything)")
    page.wait_for_selector("text=100 items of 100 read")
    page.click("button:has-text('Next 100')")
    page.wait_for_selector("text=with the pages before")
    client.delete_table(TableName=name)


def test_signing_out_ends_the_session(chromium: Any, stack: RunningStack) -> None:
    context = chromium.new_context()
    window = Window(context.new_page(), stack)
    window.page.click("text=Sign out")
    window.page.wait_for_selector("text=The console is closed")
    context.close()
