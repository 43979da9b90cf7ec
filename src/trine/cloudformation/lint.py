"""`trine validate`: every fault that cfn-lint finds, beside our own, with file, line, column and a hint.

Run as `python -m trine.cloudformation.lint` it is the child that loads cfn-lint; `validate` is what others call.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trine.aws.arn import Place
from trine.cloudformation.expansion import run_child
from trine.cloudformation.faults import Fault, TemplateFaults
from trine.cloudformation.limits import LINT_TIMEOUT_SECONDS

_LEVELS = {"error": "error", "warning": "warning", "informational": "info"}


def validate(
    path: Path | str, parameter_overrides: Mapping[str, str] | None = None, place: Place | None = None
) -> list[Fault]:
    """Every fault of the template at `path`: errors and warnings, in the order of the text; empty when it is sound."""
    from trine.cloudformation.parameters import NO_VALUE_RULE
    from trine.cloudformation.template import load_template

    path = Path(path).absolute()
    place = place or Place()
    faults: list[Fault] = []
    try:
        faults += load_template(path, parameter_overrides, place=place).notes
    except TemplateFaults as found:
        # A template is sound without values for its parameters; it only cannot be deployed yet.
        faults += [fault for fault in found.faults if fault.rule != NO_VALUE_RULE]
    if path.is_file() and not any(fault.rule in _UNREADABLE for fault in faults):
        request = {"path": str(path), "region": place.region}
        raw, fault = run_child("trine.cloudformation.lint", request, LINT_TIMEOUT_SECONDS, path)
        linted = [fault] if fault else [Fault.from_document(each) for each in json.loads(raw)]
        ours = {(fault.file, fault.line) for fault in faults if fault.level == "error"}
        faults += [each for each in linted if (each.file, each.line) not in ours or not _says_the_same(each.rule)]
    return sorted(set(faults))


_UNREADABLE = {"template/yaml", "template/json", "template/encoding", "template/size", "template/empty"}
"""Faults after which cfn-lint could only say again that it cannot read the text."""


def _says_the_same(rule: str) -> bool:
    """Rules of cfn-lint that repeat, once per schema it tried, what a fault of ours on that line says plainly."""
    return rule.startswith(("E0", "E1")) or rule in ("E3030", "E3031", "E3034", "E6001", "E6004", "E6101")


def lint(path: str, region: str) -> list[dict[str, Any]]:
    """cfn-lint's matches on the file at `path` as documents of Fault. Child process only."""
    from cfnlint.api import lint_file
    from cfnlint.config import ManualArgs

    matches = lint_file(Path(path), config=ManualArgs(regions=[region]))
    return [_fault(match, path).to_document() for match in matches]


def _fault(match: Any, path: str) -> Fault:
    rule = match.rule
    hint = f"{rule.shortdesc}: {rule.source_url}" if rule.source_url else str(rule.shortdesc)
    level = _LEVELS.get(str(rule.severity), "error")
    return Fault(path, match.linenumber, match.columnnumber, str(match.message), hint, str(rule.id), level)


def main() -> None:
    """Serve one request from stdin."""
    request = json.loads(sys.stdin.buffer.read())
    sys.stdout.buffer.write(json.dumps(lint(request["path"], request["region"])).encode())


if __name__ == "__main__":
    main()
