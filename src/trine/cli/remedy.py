"""Where in the template a refusal would be mended: the function's policies, with the statement that is missing there.

Enters a trace document of the running stack and its template; leaves lines for a terminal. Nothing is said of refusals
that the template cannot mend: people's own rights, and roles that it does not make.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trine.cli.progress import progress
from trine.stack.run_file import RunFile

if TYPE_CHECKING:
    from trine.cloudformation.resources import Resource
    from trine.cloudformation.template import Template


def remedies(document: Mapping[str, Any], run_file: RunFile) -> Iterator[str]:
    """Lines for each refusal of a policy in the trace and below it."""
    refusals = [one for one in _refusals(document) if "identity" in one and ("missing" in one or "deniedBy" in one)]
    template = _template(run_file) if refusals else None
    if template is None:
        return
    told: set[tuple[str, ...]] = set()
    for refusal in refusals:
        lines = tuple(_lines(template, refusal))
        if lines not in told:
            told.add(lines)
            yield from lines


def _refusals(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if document["refusal"] is not None:
        yield document["refusal"]
    for child in document["children"]:
        yield from _refusals(child)


def _template(run_file: RunFile) -> Template | None:
    """The template as the running stack read it; None when it cannot be read any more."""
    from trine.aws.arn import Place
    from trine.cloudformation.discovery import find_template
    from trine.cloudformation.faults import TemplateFaults
    from trine.cloudformation.template import load_template

    try:
        found = find_template(Path(run_file.template))
        place = Place(run_file.account_id, run_file.region)
        cache = run_file.state_directory / "cache"
        with progress("reading the template"):
            overrides = {**found.parameter_overrides, **run_file.parameters}
        return load_template(found.path, overrides, run_file.stack_name, place, cache)
    except TemplateFaults:
        return None


def _lines(template: Template, refusal: Mapping[str, Any]) -> Iterator[str]:
    from trine.cloudformation.least_privilege import statement_lines

    holder = _holder(template, str(refusal["identity"]))
    if holder is None:
        return
    yield ""
    if "deniedBy" in refusal:
        yield f"The statement that denies it belongs to {holder.source_id}: {_place(holder)}"
        return
    missing = refusal["missing"]
    if missing["layer"] != "identity":
        return
    yield f"It would be allowed by this statement in the policies of {holder.source_id}: {_place(holder)}"
    for line in statement_lines(template, missing):
        yield f"  {line}"


def _holder(template: Template, role_arn: str) -> Resource | None:
    """The function that has this role, or the role itself where it serves several or none."""
    roles = [one for one in template.of_type("AWS::IAM::Role") if one.attributes.get("Arn") == role_arn]
    functions = [one for one in template.of_type("AWS::Lambda::Function") if one.properties.get("Role") == role_arn]
    if roles and (len(functions) != 1 or roles[0].source_id != functions[0].source_id):
        return roles[0]
    return functions[0] if functions else None


def _place(holder: Resource) -> str:
    """The place of the policies in the text, or of the resource that has none yet."""
    for path in ("Policies", "PolicyDocument"):
        found = holder.location_of(path)
        if found.line:
            return str(found)
    return str(holder.location)
