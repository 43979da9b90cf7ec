"""`trine bill`, `top`, `completion`, and JSON of every command that prints: run as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from tests.cli.conftest import StartUp, trine
from trine.cli import bill_text, top_text
from trine.cli.main import COMMANDS
from trine.cli.main import trine as group
from trine.cli.progress import progress
from trine.metering import prices
from trine.metering.meter_names import NAMES


def test_every_meter_has_a_name_in_the_terminal() -> None:
    assert list(NAMES) == list(prices.METERS), "in the order of bills"
    assert all(len(name) <= 28 for name in NAMES.values())


def test_a_bill_while_it_runs_and_after_it_has_ended(up: StartUp, project: Path, tmp_path: Path) -> None:
    started = up()
    for _ in range(3):
        with pytest.raises(OSError, match="404"):
            urlopen(f"{started.url}/users/nobody")
    shown = trine("bill", "--json", "--state", started.state)
    assert shown.returncode == 0, shown.stderr
    bill = json.loads(shown.stdout)
    (group,) = bill["groups"]
    assert group["name"].endswith("GET /users/{id}")
    assert group["calls"] == 3

    dear = trine("bill", "--fail-above", "1", "--state", started.state)
    assert dear.returncode == 3
    assert "more than $1.00" in dear.stderr
    assert trine("bill", "--fail-above", "1000000", "--state", started.state).returncode == 0
    nothing = trine("bill", "--fail-above", "1", "--from", "2020-01-01", "--to", "2020-01-02", "--state", started.state)
    assert (nothing.returncode, "nothing to judge" in nothing.stderr) == (1, True)

    profile = tmp_path / "load.yaml"
    profile.write_text("requests_per_second: 2\nnights: {from: '22:00', to: '06:00', requests_per_second: 0}\n")
    month = trine("bill", "--profile", profile, "--state", started.state)
    assert month.returncode == 0, month.stderr
    assert "USD a month" in month.stdout
    assert "always on" in month.stdout

    top = trine("top", "--once", "--state", started.state)
    assert top.returncode == 0, top.stderr
    assert "GET /users/{id}" in top.stdout
    look = json.loads(trine("top", "--once", "--json", "--state", started.state).stdout)
    assert look["routes"][0]["clientErrors"] == 3

    assert started.stop() == 0
    after = json.loads(trine("bill", "--json", "--state", started.state).stdout)
    assert after["total"]["usageUsd"] == pytest.approx(bill["total"]["usageUsd"])
    assert trine("store", "verify", started.state, "--json").returncode == 0
    assert trine("store", "fork", started.state, tmp_path / "fork").returncode == 0
    forked = json.loads(trine("bill", "--json", "--state", tmp_path / "fork").stdout)
    assert forked["groups"] == after["groups"], "a fork that has never run has its bill too"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--by", "moon"], "--by"),
        (["--only", "moon=1"], "--only"),
        (["--only", "route=a", "--only", "route=b"], "two of the same grouping"),
        (["--from", "tomorrow"], "is no time"),
        (["--from", "yesterday", "--to", "yesterday"], "the range is empty"),
        (["--from", "2026-13-01"], "is no time"),
        (["--from", ""], "is no time"),
        (["--from", "now", "--to", "1d"], "the range is empty"),
        (["--fail-above", "nan"], "no amount of USD"),
        (["--fail-above", "-1"], "no amount of USD"),
        (["--project", "--fail-above", "1"], "--project"),
        (["--prices", "/nowhere.json"], "cannot be read"),
        (["--profile", "/nowhere.yaml"], "cannot be read"),
    ],
)
def test_wrong_arguments_say_so(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(group, ["bill", *arguments])
    assert result.exit_code == 2
    assert said in result.output


def test_without_a_stack_it_says_what_to_do(tmp_path: Path) -> None:
    for command in ("bill", "top"):
        result = trine(command, "--state", tmp_path, cwd=tmp_path)
        assert result.returncode == 1
        assert "trine up" in result.stderr


def test_hostile_names_are_text() -> None:
    name = "evil\x1b[2J\n‮" + "x" * 300
    group_of = {"name": name, "calls": 1, "usd": 1.0, "usdPerMillion": 1e6}
    document = {
        "from": "a", "to": "b", "minutes": 1, "by": "caller", "groups": [group_of],
        "standing": [{"meter": "table.gb-month", "what": name, "usd": 1.0}],
        "total": {"calls": 1, "usd": 2.0, "usdPerMillion": 2e6, "usageUsd": 1.0, "usageUsdPerMillion": 1e6,
                  "usdByMeter": {}, "amounts": {}},
        "priceList": {"region": name, "date": "x", "file": "f", "source": [name], "units": {}},
        "assumptions": [], "warnings": [name],
    }  # fmt: skip
    text = "".join(bill_text.bill_lines(document))
    assert not {"\x1b", "\n", "‮"} & set(text)


def test_rates_are_made_of_two_looks() -> None:
    def look(at: float, count: int) -> dict[str, object]:
        route = {"api": "a", "stage": "s", "route": "GET /", "count": count, "clientErrors": 0, "serverErrors": 0,
                 "p50Millis": 1.0, "p99Millis": None}  # fmt: skip
        return {"at": at, "routes": [route], "functions": [], "tables": [], "alarms": [{"name": "n", "state": "ALARM"}]}

    lines = top_text.lines(look(10, 5), look(12, 25))
    assert "10.0" in lines[1]
    assert lines[-1] == "ALARM: n"


def test_a_small_screen_keeps_the_busiest_of_every_section() -> None:
    def look(at: float) -> dict[str, Any]:
        routes = [{"api": "a", "stage": "s", "route": f"GET /{n}", "count": n * at, "clientErrors": 0,
                   "serverErrors": 0, "p50Millis": 1.0, "p99Millis": 2.0} for n in range(60)]  # fmt: skip
        functions = [{"function": f"f{n}", "invocations": n * at, "errors": 0, "throttles": 0, "running": 0,
                      "environments": {}, "p50Millis": None, "p99Millis": None} for n in range(3)]  # fmt: skip
        return {"at": at, "routes": routes, "functions": functions, "tables": [], "alarms": []}

    lines = top_text.lines(look(1), look(2), 80, 20)
    assert len(lines) == 20
    assert lines[1].startswith("a/s GET /59")
    assert "… and 50 more" in lines
    assert [line.split()[0] for line in lines if line.startswith("f")] == ["f2", "f1", "f0"], "few: all of them"
    assert all(len(line) <= 80 for line in lines)
    assert len(top_text.lines(look(1), look(2))) > 60, "where nothing is cut off, all are printed"
    assert len(top_text.lines(look(1), look(2), 80, 3)) >= 3, "a screen of three lines is no fault"


def test_small_sums_are_not_shown_as_nothing() -> None:
    group_of = {"name": "a" * 70, "calls": 1, "usd": 2e-9, "usdPerMillion": 0.002}
    document = {
        "from": "a", "to": "b", "minutes": 1, "by": "route", "groups": [group_of],
        "standing": [{"meter": "table.gb-month", "what": "T", "usd": 0.0}],
        "total": {"calls": 1, "usd": 1234.5, "usdPerMillion": 2e6, "usageUsd": 2e-9, "usageUsdPerMillion": 0.002,
                  "usdByMeter": {"rest.request": 2e-9}, "amounts": {"rest.request": 1}},
        "priceList": {"region": "r", "date": "x", "file": "f", "source": [], "units": {"rest.request": "API call"}},
        "assumptions": [], "warnings": [],
    }  # fmt: skip
    lines = list(bill_text.bill_lines(document))
    assert "a" * 70 + "            1     < 0.000001           0.00" in lines
    assert any(line.startswith("together") and "1,234.500000" in line for line in lines)
    assert any("API call" in line and line.endswith("< 0.000001") for line in lines)
    empty = list(bill_text.bill_lines({**document, "minutes": 0}))
    assert empty == ["Nothing was recorded in this range of time; what is recorded begins at a."]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    script = trine("completion", shell)
    assert script.returncode == 0
    assert "_TRINE_COMPLETE" in script.stdout
    environment = {"COMP_WORDS": "trine bi", "COMP_CWORD": "1" if shell != "fish" else "bi"}
    asked = subprocess.run(
        [sys.executable, "-m", "trine"], capture_output=True, text=True, check=False, timeout=30,
        env={**os.environ, **environment, "_TRINE_COMPLETE": f"{shell}_complete"},
    )  # fmt: skip
    assert "bill" in asked.stdout
    assert "explain" not in asked.stdout


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"completion"}))
def test_every_command_that_prints_prints_json(name: str) -> None:
    commands = [[name]] if name != "store" else [["store", part] for part in ("verify", "compact", "fork")]
    for command in commands:
        helped = CliRunner().invoke(group, [*command, "--help"])
        assert helped.exit_code == 0
        assert "--json" in helped.output, command


def test_progress_says_nothing_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("waiting"):
        pass
    assert capsys.readouterr().err == ""
