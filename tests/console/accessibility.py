"""axe-core over every page of the console: `make accessibility`.

Needs Chromium and npm, which fetches axe-core (MPL-2.0; nothing of it is kept in the repository) into
`.pytest_artefacts`. Prints every finding of WCAG 2.1 A and AA and of axe's best practices; exit code 1 when there is
any, 2 when something is missing to look at all.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

from tests.console.test_in_chromium import CHROMIUM, EXAMPLE, HOSTILE, QUIET, ROOT, Window, create
from trine.testing import running

AXE_VERSION = "4.14.1"
FOLDER = ROOT / ".pytest_artefacts" / "axe"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
WIDTHS = (1280, 390)


def axe() -> str:
    """The source of axe-core, fetched once."""
    script = FOLDER / f"node_modules/axe-core-{AXE_VERSION}.js"
    if not script.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        wish = ["npm", "install", "--silent", "--no-save", "--prefix", str(FOLDER), f"axe-core@{AXE_VERSION}"]
        subprocess.run(wish, check=True, timeout=300)
        shutil.copy(FOLDER / "node_modules/axe-core/axe.min.js", script)
    return script.read_text()


def _request(page: Any) -> None:
    page.click("td a")
    page.wait_for_selector(".track")


def _table(page: Any) -> None:
    page.click("td a")
    page.click("text=Scan (reads everything)")
    page.wait_for_selector("td button:has-text('Edit')")


def _editor(page: Any) -> None:
    page.locator("td button:has-text('Edit')").first.click()
    page.wait_for_selector("dialog")


def _route(page: Any) -> None:
    page.locator("button:has-text('Try it')").first.click()
    page.wait_for_selector("form.card")


def _function(page: Any) -> None:
    page.click("td a")
    page.wait_for_selector("text=Event (JSON)")


STEPS: dict[str, tuple[str, list[tuple[str, Callable[[Any], None]]]]] = {
    "map": ("svg.map", []),
    "requests": ("td a", [("one request", _request)]),
    "routes": ("button:has-text('Try it')", [("the form of a route", _route)]),
    "functions": ("td a", [("one function", _function)]),
    "tables": ("td a", [("items", _table), ("the editor", _editor)]),
    "roles": ("text=The smallest policy", []),
    "bill": ("svg.plot", []),
    "manifest": ("text=enforced", []),
}


def findings(page: Any, source: str) -> Iterator[str]:
    """What axe finds on the page as it stands."""
    page.evaluate(source)
    found = page.evaluate("(tags) => axe.run(document, {runOnly: tags}).then((all) => all.violations)", TAGS)
    for fault in found:
        for node in fault["nodes"]:
            yield f"{fault['id']} ({fault['impact']}): {fault['help']}: {node['target']} {node['html'][:160]}"


def look(source: str) -> int:
    """Go through every page, light and dark, wide and narrow; how much was found."""
    from playwright.sync_api import sync_playwright

    count = pages = 0
    with running(EXAMPLE) as stack, sync_playwright() as driver:
        for number in range(3):
            create(stack, f"u{number}", HOSTILE)
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        for scheme in ("light", "dark"):
            for width in WIDTHS:
                context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
                window = Window(context.new_page(), stack)
                for view, (sign, steps) in STEPS.items():
                    window.open(view)
                    window.page.wait_for_selector(sign)
                    for name, step in [(view, lambda page: None), *steps]:
                        step(window.page)
                        pages += 1
                        for finding in findings(window.page, source):
                            count += 1
                            print(f"{name}, {scheme}, {width} px: {finding}")
                    window.page.keyboard.press("Escape")
                context.close()
        browser.close()
    print(f"{pages} pages looked at, {count} findings")
    return count


def main() -> int:
    """The command."""
    missing = [name for name, found in (("Chromium", CHROMIUM), ("npm", shutil.which("npm"))) if found is None]
    if missing:
        print(f"missing: {', '.join(missing)}", file=sys.stderr)
        return 2
    try:
        source = axe()
    except (OSError, subprocess.SubprocessError) as fault:
        print(f"axe-core could not be fetched: {fault}", file=sys.stderr)
        return 2
    return 1 if look(source) else 0


if __name__ == "__main__":
    sys.exit(main())
