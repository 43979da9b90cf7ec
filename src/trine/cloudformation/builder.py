"""Resources and outputs from an expanded template: the world that its intrinsics see.

Conditions are evaluated when first asked for; resources in the order of their needs, so that each one's names exist
before another refers to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from msgspec.structs import replace

from trine.aws.arn import Place
from trine.cloudformation import graph
from trine.cloudformation.coercion import coerce
from trine.cloudformation.document import Location
from trine.cloudformation.dynamic_references import Values, mentions, references
from trine.cloudformation.evaluation import NO_VALUE, Consequence, Evaluation, Path, Unresolvable
from trine.cloudformation.expansion import Expansion
from trine.cloudformation.faults import Fault, suggestion
from trine.cloudformation.intrinsics import FUNCTIONS, PLACEHOLDER
from trine.cloudformation.local_files import local_files
from trine.cloudformation.names import stack_id
from trine.cloudformation.parameters import Parameter
from trine.cloudformation.resources import Identity, Resource, SecretKey, identify

_RULE = "template/reference"
NestedOutputs = Callable[[str, dict[str, Any], FilePath, Location], Mapping[str, Any]]
"""Reads a nested stack: logical id, properties, template file, place → its outputs by name."""


class Builder:
    """Builds everything of one expansion. Faults gather in `faults`, remarks in `notes`."""

    def __init__(
        self,
        expansion: Expansion,
        parameters: Mapping[str, Parameter],
        stack_name: str,
        place: Place,
        directory: FilePath,
        nested_outputs: NestedOutputs,
        secret_key: SecretKey,
        values: Values,
    ) -> None:
        self.secret_key, self.values = secret_key, values
        self.expansion, self.parameters = expansion, parameters
        self.stack_name, self.place, self.directory = stack_name, place, directory
        self.nested_outputs = nested_outputs
        self.template = expansion.template
        self.declared: dict[str, dict[str, Any]] = self.template.get("Resources") or {}
        self.evaluation = Evaluation(self, expansion.places, FUNCTIONS)
        self.notes: list[Fault] = []
        self.creation_order: tuple[str, ...] = ()
        self.omitted: tuple[str, ...] = ()
        self.incomplete: set[str] = set()
        self._broken = set(expansion.unread)
        """Names whose own fault is told already: what refers to them is a consequence."""
        self._truths: dict[str, bool | None] = {}
        self._identities: dict[str, Identity] = {}
        self._present: dict[str, dict[str, Any]] = {}
        self._placeholders: list[str] = []
        self._unknown_forms: set[str] = set()
        self._pseudo: dict[str, Any] = {
            "AWS::AccountId": place.account_id,
            "AWS::Region": place.region,
            "AWS::Partition": place.partition,
            "AWS::StackName": stack_name,
            "AWS::StackId": stack_id(place, stack_name),
            "AWS::URLSuffix": "amazonaws.com.cn" if place.partition == "aws-cn" else "amazonaws.com",
            "AWS::NotificationARNs": [],
            "AWS::NoValue": NO_VALUE,
        }

    @property
    def faults(self) -> list[Fault]:
        """All faults so far."""
        return self.evaluation.faults

    def resources(self) -> dict[str, Resource]:
        """Every resource whose condition holds, in the order of the text."""
        for name in self.template.get("Conditions") or {}:
            self._guarded_condition(name, ("Conditions", name))
        for logical_id, resource in self.declared.items():
            named = resource.get("Condition")
            at = ("Resources", logical_id, "Condition")
            if not isinstance(named, str) or self._guarded_condition(named, at):
                self._present[logical_id] = resource
                self._keep_value(resource)
        self.omitted = tuple(name for name in self.declared if name not in self._present)
        self._check_depends_on()
        order, circles = graph.in_order(graph.dependencies(self._present))
        for circle in circles:
            message = f"circular dependency: {' → '.join(circle)}"
            hint = "take one of the references out, or build the name with Fn::Sub instead of Ref"
            self.evaluation.fault(Unresolvable(("Resources", circle[0]), message, hint, "template/cycle"))
        self._broken.update(*circles)
        self.creation_order = tuple(order)
        made = {logical_id: self._make(logical_id) for logical_id in order}
        place_of = {name: (resource.location.file, resource.location.line) for name, resource in made.items()}
        first = str(self.expansion.positions.files[0])
        ranked = sorted(
            made, key=lambda name: (place_of[name][0] != first, place_of[name][1], list(self.declared).index(name))
        )
        return {name: made[name] for name in ranked}

    def outputs(self) -> Iterator[tuple[str, Any, str, str | None, Location]]:
        """Name, value, description, export name and place of each output whose condition holds."""
        for name, output in (self.template.get("Outputs") or {}).items():
            path: Path = ("Outputs", name)
            named = output.get("Condition")
            if isinstance(named, str) and not self._guarded_condition(named, (*path, "Condition")):
                continue
            if "Value" not in output:
                self.evaluation.fault(Unresolvable(path, f"output {name} has no Value"))
                continue
            members = self.evaluation.resolve({key: output[key] for key in ("Value", "Export") if key in output}, path)
            export = members.get("Export")
            export_name = export.get("Name") if isinstance(export, dict) else None
            location = self.expansion.positions.of(*path)
            yield name, members.get("Value"), str(output.get("Description") or ""), export_name, location

    def evaluated_conditions(self) -> dict[str, bool]:
        """The truth of each condition."""
        return {name: truth for name, truth in self._truths.items() if truth is not None}

    # The world that intrinsics see ----------------------------------------------------------------------------------

    def ref(self, name: str, path: Path) -> Any:
        """A pseudo parameter, a parameter's value, or a resource's physical id."""
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self.parameters:
            return self.parameters[name].value
        identity = self._identity(name, path)
        if not identity.known:
            self._unknown_forms.add(identity.ref)
        return identity.ref

    def is_of_unknown_form(self, text: str) -> bool:
        """Whether `text` holds the made-up id of a resource whose type is not modelled."""
        return any(form in text for form in self._unknown_forms)

    def attribute(self, logical_id: str, name: str, path: Path) -> Any:
        """An attribute of a resource; a marked placeholder for types that are not modelled."""
        identity = self._identity(logical_id, path)
        if name in identity.attributes:
            return identity.attributes[name]
        kind = self._present[logical_id].get("Type")
        if kind == "AWS::DynamoDB::Table" and name == "StreamArn":
            message = f"{logical_id} has no stream, so it has no StreamArn"
            raise Unresolvable(path, message, "give the table a StreamSpecification", _RULE)
        # AWS lists more than these for some types; those that Trine models are complete with its own table.
        possible = self.expansion.attribute_names.get(str(kind))
        if kind == "AWS::CloudFormation::Stack":
            possible = list(identity.attributes)
        if possible and name not in possible and identity.known:
            hint = f"it has: {', '.join(sorted({*possible, *identity.attributes}))}"
            raise Unresolvable(path, f"{kind} has no attribute {name!r} ({logical_id})", hint, _RULE)
        self._placeholders.append(f"{logical_id}.{name}")
        placeholder = f"{PLACEHOLDER}{logical_id}-{name}"
        if not name.lower().endswith("arn"):
            return placeholder
        return self._made_arn(str(kind), placeholder)

    def _made_arn(self, kind: str, resource: str) -> str:
        """An ARN for a type that is not modelled: policies that name it are checked for the form of one."""
        service = kind.split("::")[1].lower() if kind.count("::") > 1 else "cloudformation"
        return self.place.arn(service, resource)

    def condition(self, name: str, path: Path) -> bool:
        """The truth of the condition `name`."""
        if name not in self._truths:
            declared = self.template.get("Conditions") or {}
            if name not in declared:
                raise Unresolvable(path, f"there is no condition {name!r}", suggestion(name, declared), _RULE)
            self._truths[name] = None
            self._truths[name] = self.evaluation.truth(declared[name], ("Conditions", name))
        truth = self._truths[name]
        if truth is None:
            raise Unresolvable(path, f"condition {name!r} depends on itself", "", "template/cycle")
        return truth

    def mapping(self, name: str) -> Mapping[str, Any] | None:
        """A section of Mappings."""
        found = (self.template.get("Mappings") or {}).get(name)
        return found if isinstance(found, Mapping) else None

    def zones(self, region: str) -> list[str]:
        """Three zones, as most regions have."""
        return [f"{region or self.place.region}{letter}" for letter in "abc"]

    # Inside ----------------------------------------------------------------------------------------------------------

    def _identity(self, name: str, path: Path) -> Identity:
        if name in self._identities:
            return self._identities[name]
        if name in self._broken:
            raise Consequence(path)
        if name in self.declared:
            if name not in self._present:
                condition = self.declared[name].get("Condition")
                message = f"resource {name} is not made: its condition {condition} is false"
                raise Unresolvable(path, message, "refer to it through Fn::If with the same condition", _RULE)
            if path[0] == "Resources" and self.creation_order:
                message = f"the reference to {name} is hidden from the order in which resources are made"
                raise Unresolvable(path, message, "write its name out, or use DependsOn", _RULE)
            raise Unresolvable(path, f"{name} could not be built")
        known = [*self.parameters, *self._present, *self._pseudo]
        message = f"{name!r} is neither a parameter nor a resource of this template"
        raise Unresolvable(path, message, suggestion(name, known), _RULE)

    def _guarded_condition(self, name: str, path: Path) -> bool:
        try:
            return self.condition(name, path)
        except Unresolvable as error:
            self.evaluation.fault(error)
            self._truths.setdefault(name, False)
            if self._truths[name] is None:
                self._truths[name] = False
            return False

    def _keep_value(self, resource: dict[str, Any]) -> None:
        """A parameter or secret that is written out is known to references wherever they stand, as on AWS once it was
        deployed."""
        properties = resource.get("Properties")
        if isinstance(properties, dict) and isinstance(properties.get("Name"), str):
            self.values.keep(str(resource.get("Type")), "", properties["Name"], properties)

    def _check_depends_on(self) -> None:
        for logical_id, resource in self._present.items():
            for needed in graph.explicit(resource):
                if needed not in self.declared and needed not in self._broken:
                    message = f"DependsOn names {needed!r}, which is no resource of this template"
                    at: Path = ("Resources", logical_id, "DependsOn")
                    self.evaluation.fault(Unresolvable(at, message, suggestion(needed, self.declared), _RULE))

    def _make(self, logical_id: str) -> Resource:
        resource = self._present[logical_id]
        kind = resource["Type"]
        path: Path = ("Resources", logical_id, "Properties")
        before, unresolved_before = len(self._placeholders), self.evaluation.unresolved
        properties = self.evaluation.guarded(resource.get("Properties") or {}, path)
        looked_up: frozenset[str] = frozenset()
        if mentions(properties):
            looked_up = frozenset(where for where, _ in references("", properties))
            try:
                properties = self.values.resolved(properties, path)
            except Unresolvable as error:
                self.evaluation.fault(error)
        if not isinstance(properties, dict):
            if properties is not NO_VALUE:
                self.evaluation.fault(Unresolvable(path, "Properties must be a map"))
            properties = {}
        if self.evaluation.unresolved > unresolved_before:
            self.incomplete.add(logical_id)
        types = self.expansion.property_types.get(kind)
        if types:
            properties = coerce(properties, types)
        properties.update(self.expansion.literals.get(logical_id, {}))
        identity = identify(logical_id, kind, properties, self.stack_name, self.place, self.secret_key)
        if not identity.known and kind in self.expansion.arn_types:
            identity = replace(identity, ref=self._made_arn(kind, identity.ref))
        self.values.keep(kind, identity.ref, identity.name, properties)
        location = self.expansion.places.of(("Resources", logical_id))
        files = local_files(kind, properties, self.directory)
        if "TemplateURL" in files and files["TemplateURL"].is_file():
            outputs = self.nested_outputs(logical_id, properties, files["TemplateURL"], location)
            identity = replace(identity, attributes={f"Outputs.{name}": value for name, value in outputs.items()})
        self._identities[logical_id] = identity
        source = self.expansion.sources.get(logical_id, logical_id).partition("/")[0]
        return Resource(
            logical_id,
            kind,
            properties,
            identity.ref,
            identity.name,
            identity.attributes,
            tuple(graph.explicit(resource)),
            resource.get("Metadata") or {},
            str(resource.get("DeletionPolicy") or "Delete"),
            identity.known,
            source,
            location,
            files,
            self._placeholders[before:],
            self.expansion.places,
            looked_up,
        )
