"""Findings as text, as JSON, and as SARIF 2.1.0, which code hosts and editors show at the line.

Enters faults (template wing) of level "warning"; leaves lines. The SARIF schema is OASIS's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trine import __version__

if TYPE_CHECKING:
    from trine.cloudformation.faults import Fault

_PAGE = "https://github.com/trine-dev/trine/blob/main/docs/cli.md#rules-of-trine-check"


def as_text(findings: Sequence[Fault]) -> Iterator[str]:
    """One finding after the other, each with its place, rule and fix."""
    yield from map(str, findings)
    if not findings:
        yield "nothing to point out"


def as_json(findings: Sequence[Fault]) -> Iterator[str]:
    """A JSON list."""
    yield json.dumps([finding.to_document() for finding in findings], indent=1)


def as_sarif(findings: Sequence[Fault], root: Path) -> Iterator[str]:
    """One SARIF log; places are relative to `root`."""
    rules = sorted({finding.rule for finding in findings})
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "trine",
                "version": __version__,
                "informationUri": _PAGE,
                "rules": [{"id": rule, "helpUri": _PAGE} for rule in rules],
            }
        },
        "originalUriBaseIds": {"ROOT": {"uri": root.absolute().as_uri() + "/"}},
        "results": [_result(finding, rules.index(finding.rule), root) for finding in findings],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    yield json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=1)


def _result(finding: Fault, rule_index: int, root: Path) -> dict[str, Any]:
    file = Path(finding.file)
    inside = file.is_relative_to(root.absolute())
    place: dict[str, Any] = {
        "artifactLocation": {"uri": file.relative_to(root.absolute()).as_posix(), "uriBaseId": "ROOT"}
        if inside
        else {"uri": file.absolute().as_uri()}
    }
    if finding.line:
        place["region"] = {"startLine": finding.line, "startColumn": max(1, finding.column)}
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": "warning",
        "message": {"text": f"{finding.message}. {finding.hint}" if finding.hint else finding.message},
        "locations": [{"physicalLocation": place}],
    }
