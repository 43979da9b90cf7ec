"""`trine policy`: the smallest policies that the recorded calls need, as a change to the template.

Exit codes: 0 done, 1 with `--check` when a role may do more than was done, or was refused something; 2 template faults.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trine.cli.client import find_run_file, get_document
from trine.cli.function_names import function_names
from trine.cli.progress import progress
from trine.cli.serving import exit_with_faults
from trine.cli.waterfall import printable

if TYPE_CHECKING:
    from trine.cloudformation.resources import Resource
    from trine.cloudformation.template import Template
    from trine.stack.run_file import RunFile

Rights = Mapping[str, Any]


@click.command()
@click.argument("function", required=False, shell_complete=function_names)
@click.option("--state", type=click.Path(path_type=Path), help="State directory (default: the nearest .trine).")
@click.option("--check", is_flag=True, help="Exit code 1 when a role may do more than was seen, or was refused.")
@click.option("--write", is_flag=True, help="Change the template instead of showing the difference.")
@click.option("--json", "as_json", is_flag=True, help="Print granted and used rights as a JSON list.")
def command(function: str | None, state: Path | None, check: bool, write: bool, as_json: bool) -> None:
    """Write the least-privilege policies for the calls that functions made.

    FUNCTION is a function's name or its logical id; without it, every function. Calls are recorded while `trine up`
    runs, and remembered over restarts.
    """
    run_file = find_run_file(state)
    with progress("reading the recorded calls"):
        shown = get_document(run_file, "/_trine/rights")
    rights = {role["role"]: role for role in shown["roles"]}
    template = load_of_stack(Path(run_file.template), run_file)
    known = list(template.of_type("AWS::Lambda::Function"))
    functions = [one for one in known if function in (None, *_names(one))]
    if not functions:
        names = ", ".join(sorted(one.source_id for one in known)) or "none"
        raise click.ClickException(
            "the template has no function"
            if function is None
            else f"the template has no function {function!r}; it has: {names}"
        )
    judged = [
        (one, rights[str(one.properties.get("Role"))]) for one in functions if one.properties.get("Role") in rights
    ]
    if as_json:
        click.echo(json.dumps([{"function": one.name, **role} for one, role in judged], indent=1))
    else:
        for line in _report(judged):
            click.echo(line)
        _show_change(template, judged, shown["observable"], write=write)
    wrong = any(role["uses"] and (role["unused"] or role["tooWide"] or role["missing"]) for _, role in judged)
    sys.exit(1 if check and wrong else 0)


def load_of_stack(path: Path, run_file: RunFile) -> Template:
    """The template as the stack of `run_file` read it. Ends the command when it has faults."""
    from trine.aws.arn import Place
    from trine.cloudformation.discovery import find_template
    from trine.cloudformation.faults import TemplateFaults
    from trine.cloudformation.template import load_template

    try:
        found = find_template(path)
        place = Place(run_file.account_id, run_file.region)
        with progress("reading the template"):
            overrides = {**found.parameter_overrides, **run_file.parameters}
        return load_template(found.path, overrides, run_file.stack_name, place)
    except TemplateFaults as faults:
        exit_with_faults(faults)


def _names(function: Resource) -> tuple[str, ...]:
    return function.name, function.logical_id, function.source_id


def _report(judged: list[tuple[Resource, Rights]]) -> Iterator[str]:
    """What of each function's rights was used, in words."""
    for function, role in judged:
        yield f"{function.source_id} ({role['name']})"
        if not role["uses"]:
            yield "  no call was recorded: nothing can be said about its rights"
            continue
        for use in role["uses"]:
            yield (
                f"  used     {use['action']} on {printable(use['resource'])}"
                if use["allowed"]
                else (f"  REFUSED  {use['action']} on {printable(use['resource'])}")
            )
        for unused in role["unused"]:
            what = [*unused["actions"], *unused["resources"]]
            whole = "the whole statement" if unused["whole"] else printable(", ".join(what))
            yield f"  unused   {whole} ({unused['policy']}, statement {unused['statement']})"
        for wide in role["tooWide"]:
            yield f"  too wide {wide['pattern']}: only {printable(', '.join(wide['needed']))} was needed"


def _show_change(
    template: Template, judged: list[tuple[Resource, Rights]], observable: list[str], *, write: bool
) -> None:
    before = template.path.read_text("utf-8")
    lines = before.splitlines()
    by_hand = False
    # From the bottom up, so that the places above stay true.
    for function, role in sorted(judged, key=lambda pair: -pair[0].location.line):
        if role["uses"]:
            edited = _changed(template, function, role, observable, lines)
            by_hand = by_hand or edited is None
            lines = lines if edited is None else edited
    after = "\n".join(lines) + ("\n" if before.endswith("\n") else "")
    if after == before and by_hand:
        return
    if after == before:
        click.echo("\nThe template's policies are as small as the recorded calls allow.")
    elif write:
        template.path.write_text(after, "utf-8")
        click.echo(f"\n{template.path} was changed; deploy it or restart `trine up`, and try everything once more.")
    else:
        click.echo("")
        name = template.path.name
        for line in difflib.unified_diff(before.splitlines(), lines, f"a/{name}", f"b/{name}", lineterm=""):
            click.echo(line)


def _changed(
    template: Template, function: Resource, role: Rights, observable: list[str], lines: list[str]
) -> list[str] | None:
    """The template's lines with the function's policies as they should be; None when they are shown, to be pasted."""
    from trine.cloudformation.least_privilege import entries
    from trine.cloudformation.policy_edit import with_policies
    from trine.cloudformation.written_policies import needed_statements, sam_made_role, stays

    new = entries(template, needed_statements(template, function, role, observable))
    edited = None
    if sam_made_role(template, function) and function.location.file == str(template.path):
        start = function.location.line - 1
        edited = with_policies(lines, start, new, lambda number: stays(template, function, number, observable))
    if edited is not None:
        return edited
    click.echo(f"\n{function.source_id}: its policies cannot be edited in place; they should be:")
    for entry in new:
        for line in entry:
            click.echo(f"  {line}")
    return None
