"""The corridor: template file → expansion → parameters → conditions → resources → outputs → checks.

What leaves is a `Template` with every intrinsic evaluated, or `TemplateFaults` with everything that is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from trine.aws.arn import Place
from trine.cloudformation.builder import Builder
from trine.cloudformation.checks import check_expansion, check_resources
from trine.cloudformation.document import Location
from trine.cloudformation.dynamic_references import Values, read_values, values_file
from trine.cloudformation.expansion import expand_template
from trine.cloudformation.faults import Fault, TemplateFaults
from trine.cloudformation.nested import NestedStacks
from trine.cloudformation.parameters import Parameter, resolve_parameters
from trine.cloudformation.resources import Resource, SecretKey, no_key


class Output(Struct, frozen=True):
    """One entry of Outputs, evaluated. `export_name` is kept and shown; nothing imports it."""

    name: str
    value: Any
    description: str
    export_name: str | None
    location: Location

    def reached_here(self, local: Mapping[str, str]) -> str | None:
        """The address that answers here for a value that names one of AWS's; None for other values. `local`: AWS's
        addresses → those that answer here, longer ones first."""
        if isinstance(self.value, str):
            for there, here in local.items():
                if self.value.startswith(there):
                    return here + self.value.removeprefix(there)
        return None


class Template(Struct, frozen=True):
    """A template as it would be deployed. `resources` in the order of the text; `creation_order` in that of need."""

    path: Path
    directory: Path
    stack_name: str
    place: Place
    description: str
    parameters: Mapping[str, Parameter]
    conditions: Mapping[str, bool]
    resources: Mapping[str, Resource]
    outputs: Mapping[str, Output]
    creation_order: tuple[str, ...]
    omitted: tuple[str, ...]
    transforms: tuple[str, ...]
    notes: tuple[Fault, ...]
    from_cache: bool
    nested: Mapping[str, Template]
    read_files: tuple[str, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that this was read from: itself, what it includes, nested ones. For whoever watches them."""
        inner = [file for nested in self.nested.values() for file in nested.files]
        return tuple(dict.fromkeys([*map(Path, self.read_files), *inner]))

    def of_type(self, *types: str) -> list[Resource]:
        """The resources of these types, in the order of the text."""
        return [resource for resource in self.resources.values() if resource.type in types]


def load_template(
    path: Path | str,
    parameter_overrides: Mapping[str, str] | None = None,
    stack_name: str = "trine",
    place: Place | None = None,
    cache_directory: Path | None = None,
    secret_key: SecretKey = no_key,
) -> Template:
    """Read the template file at `path` as AWS would deploy it.

    `cache_directory` keeps expansions (`None`: none is kept). Relative paths in the template start at its folder.
    Nested stacks and applications in local files are read as well; their resources stand in `resources` under
    `Stack.Resource`, their templates in `nested`. `trine.toml` beside it gives what AWS would look up elsewhere.
    `secret_key` gives the key of the secrets that the template has made.
    Raises TemplateFaults with all faults that were found.
    """
    overrides, file = dict(parameter_overrides or {}), Path(path).absolute()
    given = values_file(file)
    values = read_values(given)
    read = _load(file, overrides, stack_name, place or Place(), cache_directory, secret_key, values, 0, [])
    return read if given is None else replace(read, read_files=(*read.read_files, str(given)))


def _load(
    path: Path,
    overrides: dict[str, str],
    stack_name: str,
    place: Place,
    cache_directory: Path | None,
    secret_key: SecretKey,
    values: Values,
    depth: int,
    read: list[Path],
) -> Template:
    def load_nested(nested_path: Path, given: dict[str, str], nested_name: str) -> Template:
        return _load(nested_path, given, nested_name, place, cache_directory, secret_key, values, depth + 1, read)

    expansion = expand_template(path, overrides, place.region, cache_directory)
    faults = [*expansion.faults, *expansion.entry_faults]
    if not expansion.template or not isinstance(expansion.template, dict):
        raise TemplateFaults(faults)
    faults += check_expansion(expansion)
    declarations = expansion.template.get("Parameters") or {}
    parameters, parameter_faults = resolve_parameters(declarations, overrides, expansion.positions, values.parameters)
    faults += parameter_faults
    if expansion.faults:
        raise TemplateFaults(faults)
    nested: NestedStacks[Template] = NestedStacks(load_nested, stack_name, depth, read)
    builder = Builder(expansion, parameters, stack_name, place, path.parent, nested.outputs, secret_key, values)
    resources = builder.resources()
    outputs = {
        name: Output(name, value, description, export, location)
        for name, value, description, export, location in builder.outputs()
    }
    faults += builder.faults + nested.faults
    checked = check_resources(resources, builder.incomplete)
    faults += [fault for fault in checked if fault.level == "error"]
    if faults:
        raise TemplateFaults(faults)
    return Template(
        path,
        path.parent,
        stack_name,
        place,
        str(expansion.template.get("Description") or ""),
        parameters,
        builder.evaluated_conditions(),
        nested.joined(resources),
        outputs,
        builder.creation_order,
        builder.omitted,
        expansion.transforms,
        (*expansion.warnings, *builder.notes, *(fault for fault in checked if fault.level != "error")),
        expansion.from_cache,
        nested.templates,
        tuple(expansion.positions.files),
    )
