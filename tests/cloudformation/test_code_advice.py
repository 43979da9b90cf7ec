"""Advice on the code of functions: what is pointed out at which line, and what is left in peace."""

from __future__ import annotations

from pathlib import Path

import pytest

from trine.cloudformation.advice import quieted
from trine.cloudformation.code_advice import advise_on_code
from trine.cloudformation.template import load_template

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Door:
    Type: AWS::Serverless::Function
    Properties:
      {Handler: app.handler, Runtime: python3.12, CodeUri: door/,
       Events: {Get: {Type: HttpApi, Properties: {Path: /x, Method: get}}}}
  Nightly:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.handler, Runtime: python3.12, CodeUri: nightly/}
"""


def advice(tmp_path: Path, files: dict[str, str]) -> list[tuple[str, str, int]]:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    for folder in ("door", "nightly"):
        (tmp_path / folder).mkdir()
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = quieted(advise_on_code(load_template(tmp_path / "template.yaml")))
    return [(one.rule, Path(one.file).relative_to(tmp_path).as_posix(), one.line) for one in found]


def test_scans_are_pointed_out_in_a_request_path_only(tmp_path: Path) -> None:
    code = "def handler(event, context):\n    return table.scan()['Items']\n"
    paginated = "pages = client.get_paginator('scan')\n"
    script = "export const f = async () => client.send(new ScanCommand({}));\n"
    files = {"door/app.py": code, "door/pages.py": paginated, "door/web.mjs": script, "nightly/app.py": code}
    rule = "dynamodb/scan-in-request-path"
    assert advice(tmp_path, files) == [
        (rule, "door/app.py", 2), (rule, "door/pages.py", 1), (rule, "door/web.mjs", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("seen = {}\ndef handler(e, c):\n    seen[e] = 1\n", [3]),
        ("seen = []\ndef handler(e, c):\n    seen.append(e)\n", [3]),
        ("count = 0\ndef handler(e, c):\n    global count\n    count += 1\n", [4]),
        ("seen: set[str] = set()\nasync def handler(e, c):\n    seen.add(e)\n", [3]),
        ("client = None\ndef handler(e, c):\n    global client\n    client = client or make()\n", []),
        ("user_cache = {}\ndef handler(e, c):\n    user_cache[e] = 1\n", []),
        ("seen = {}\ndef handler(e, seen):\n    seen[e] = 1\n", []),
        ("seen = {}\ndef handler(e, c):\n    seen = {}\n    seen[e] = 1\n", []),
        ("LIMITS = {'a': 1}\ndef handler(e, c):\n    return LIMITS['a']\n", []),
        ("seen = {}\nseen['at import'] = 1\n", []),
    ],
)
def test_state_in_globals(tmp_path: Path, code: str, lines: list[int]) -> None:
    found = advice(tmp_path, {"nightly/app.py": code})
    assert found == [("lambda/state-in-globals", "nightly/app.py", line) for line in lines]


def test_keys_in_code_and_comments_that_quiet(tmp_path: Path) -> None:
    key = "AKIA" + "Z7" * 8
    files = {
        "door/app.py": f"KEY = '{key}'\n",
        "door/config.json": f'{{"key": "{key}"}}\n',
        "door/quiet.py": f"KEY = '{key}'  # trine: quiet lambda/secret-in-code\n",
        "door/quiet.js": f"const key = '{key}'; // trine: quiet lambda/secret-in-code\n",
        "door/example.py": "KEY = 'AKIAIOSFODNN7EXAMPLE'\n",
        "door/node_modules/x/index.js": f"'{key}'",
        "door/lib/installed.py": f"'{key}'",
        "door/lib-1.0.dist-info/METADATA": "",
        "door/broken.py": "def (",
    }
    rule = "lambda/secret-in-code"
    assert advice(tmp_path, files) == [(rule, "door/app.py", 1), (rule, "door/config.json", 1)]
