"""Which template is meant: a file, or a folder as SAM, the CDK and the Serverless Framework lay it out; with the values
of samconfig.toml.

Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trine.cloudformation.faults import Fault, TemplateFaults
from trine.cloudformation.limits import STACK_NAME_CHARACTERS

TEMPLATE_NAMES = ("template.yaml", "template.yml", "template.json")
CONFIGURATION_NAMES = ("samconfig.toml",)
PACKAGED = ".serverless/cloudformation-template-update-stack.json"
"""What `serverless package` leaves, with the zip packages beside it."""
_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*\Z")
_PAIR = re.compile(r'(?:ParameterKey=)?([A-Za-z0-9]+)(?:=|,ParameterValue=)("(?:[^"\\]|\\.)*"|\'[^\']*\'|[^\s]*)')


@dataclass(frozen=True, slots=True)
class FoundTemplate:
    """A template file to read. `project_directory` is the folder asked for; `path` may lie in a build folder."""

    path: Path
    project_directory: Path
    stack_name: str
    region: str | None = None
    parameter_overrides: Mapping[str, str] = field(default_factory=dict)
    built_by_sam: bool = False


def find_template(path: Path | str = ".", config_environment: str = "default") -> FoundTemplate:
    """The template that `path` means. A file is itself; a folder gives, in this order:

    `.aws-sam/build/template.yaml` when it is newer than the source template, `template.yaml|yml|json`,
    `cdk.out/*.template.json` when there is one stack, what `serverless package` left. samconfig.toml beside it gives
    stack name, region and parameter overrides. Raises TemplateFaults when there is none, or more than one stack.
    """
    asked = Path(path).absolute()
    if asked.is_dir():
        project, (file, built) = asked, _in_folder(asked)
    else:
        if not asked.exists():
            raise _fault(asked, "there is no such file or folder", "give the folder of a template, or its file")
        project, file, built = asked.parent, asked, False
    configured = _configuration(project, config_environment)
    name = configured.get("stack_name")
    stack_name = name if isinstance(name, str) and name else _stack_name(file, project)
    if not _STACK_NAME.match(stack_name) or len(stack_name) > STACK_NAME_CHARACTERS:
        raise _fault(project, f"{stack_name!r} is no stack name", "letters, digits and hyphens, a letter first")
    region = configured.get("region")
    overrides = parse_overrides(configured.get("parameter_overrides", ""))
    return FoundTemplate(file, project, stack_name, region if isinstance(region, str) else None, overrides, built)


def parse_overrides(given: Any) -> dict[str, str]:
    """Parameter overrides as SAM writes them: `"A=1 B='two words'"`, a list of such texts, or a map.

    Raises TemplateFaults for text that is no NAME=VALUE.
    """
    if isinstance(given, Mapping):
        return {str(name): str(value) for name, value in given.items()}
    texts = given if isinstance(given, (list, tuple)) else [given]
    found = {}
    for text in texts:
        rest = _PAIR.sub("", str(text)).strip(" ,\t\n")
        if rest:
            raise _fault(
                Path("--parameter-overrides"), f"{rest!r} is not NAME=VALUE", "such as Stage=dev or Name='two words'"
            )
        for name, value in _PAIR.findall(str(text)):
            quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
            found[name] = re.sub(r"\\(.)", r"\1", value[1:-1]) if quoted else value
    return found


def _in_folder(folder: Path) -> tuple[Path, bool]:
    built = folder / ".aws-sam" / "build" / "template.yaml"
    for name in TEMPLATE_NAMES:
        source = folder / name
        if source.is_file():
            if built.is_file() and built.stat().st_mtime_ns >= source.stat().st_mtime_ns:
                return built, True
            return source, False
    synthesized = sorted(folder.glob("cdk.out/*.template.json")) or sorted(folder.glob("*.template.json"))
    if len(synthesized) == 1:
        return synthesized[0], False
    if synthesized:
        names = ", ".join(str(each.relative_to(folder)) for each in synthesized)
        raise _fault(folder, f"the CDK made several stacks: {names}", "give the file of one of them")
    if (folder / PACKAGED).is_file():
        return folder / PACKAGED, False
    hint = f"it needs {', '.join(TEMPLATE_NAMES[:-1])} or {TEMPLATE_NAMES[-1]}, or cdk.out from `cdk synth`"
    if any(folder.glob("serverless.*")):
        hint = "run `serverless package` first: what it leaves in .serverless is read"
    raise _fault(folder, "there is no template in this folder", hint)


def _configuration(project: Path, environment: str) -> dict[str, Any]:
    """`global` and `deploy` parameters of samconfig.toml for one environment; empty without the file."""
    for name in CONFIGURATION_NAMES:
        file = project / name
        if not file.is_file():
            continue
        import tomllib  # only who has the file pays for its reader

        try:
            document = tomllib.loads(file.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _fault(file, f"cannot be read: {error}", "see the SAM CLI's page on samconfig.toml") from None
        section = document.get(environment)
        merged: dict[str, Any] = {}
        for command in ("global", "deploy"):
            part = section.get(command) if isinstance(section, Mapping) else None
            values = part.get("parameters") if isinstance(part, Mapping) else None
            merged.update(values if isinstance(values, Mapping) else {})
        return merged
    return {}


def _stack_name(file: Path, project: Path) -> str:
    """The CDK's stack name from its file, else the folder's name, made fit to be a stack's."""
    raw = file.name.removesuffix(".template.json") if file.name.endswith(".template.json") else project.name
    name = re.sub(r"[^A-Za-z0-9-]+", "-", raw).strip("-")
    return (name if name[:1].isalpha() else f"stack-{name}".rstrip("-"))[:STACK_NAME_CHARACTERS]


def _fault(path: Path, message: str, hint: str) -> TemplateFaults:
    return TemplateFaults([Fault(str(path), 0, 0, message, hint, "template/file")])
