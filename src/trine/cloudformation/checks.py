"""Checks that AWS makes at deployment: what the text alone does not show. Each gives faults with place and hint."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from trine.cloudformation import limits
from trine.cloudformation.document import Location
from trine.cloudformation.dynamic_references import FILE, mentions, references
from trine.cloudformation.expansion import Expansion
from trine.cloudformation.faults import Fault
from trine.cloudformation.resources import Resource

_START = "paths start at the template's folder"
_FROM_SOURCE = ("python", "nodejs", "ruby")
"""Runtimes whose code needs no build step."""
_KNOWN_TRANSFORMS = {"AWS::Serverless-2016-10-31", "AWS::LanguageExtensions", "AWS::Include"}


def _at(location: Location, message: str, hint: str, rule: str, level: str = "error") -> Fault:
    return Fault(location.file, location.line, location.column, message, hint, rule, level)


def check_expansion(expansion: Expansion) -> list[Fault]:
    """Macros that cannot run here, and the quotas of a template."""
    faults = []
    positions, template = expansion.positions, expansion.template
    for name in expansion.transforms:
        if name not in _KNOWN_TRANSFORMS:
            message = f"the macro {name!r} runs in an AWS account; Trine cannot run it"
            hint = "expand it beforehand (aws cloudformation get-template) and use the expanded template"
            faults.append(_at(positions.of("Transform"), message, hint, "template/transform"))
    for section, limit in (
        ("Resources", limits.RESOURCES_PER_TEMPLATE),
        ("Parameters", limits.PARAMETERS_PER_TEMPLATE),
        ("Outputs", limits.OUTPUTS_PER_TEMPLATE),
        ("Mappings", limits.MAPPINGS_PER_TEMPLATE),
    ):
        count = len(template.get(section) or {})
        if count > limit:
            message = f"{count} {section.lower()}; CloudFormation takes {limit}"
            faults.append(_at(positions.of(section), message, "use nested stacks", "template/quota"))
    for logical_id in template.get("Resources") or {}:
        if not logical_id.isalnum() or not logical_id.isascii():
            message = f"{logical_id!r} is no logical id: only letters and digits are allowed"
            faults.append(_at(positions.of("Resources", logical_id), message, "", "template/logical-id"))
    return faults


_ABOUT_ABSENCE = {"lambda/required", "dynamodb/key-schema", "dynamodb/billing", "dynamodb/attribute-definitions"}


def check_resources(resources: Mapping[str, Resource], incomplete: Collection[str]) -> list[Fault]:
    """Every check of every resource. The `incomplete` ones lost properties to other faults: nothing is said missing."""
    faults: list[Fault] = []
    for logical_id, resource in resources.items():
        found = [fault for check in _CHECKS.get(resource.type, ()) for fault in check(resource)]
        found.extend(_local_files(resource))
        found.extend(_dynamic_references(resource))
        faults.extend(fault for fault in found if logical_id not in incomplete or fault.rule not in _ABOUT_ABSENCE)
    return faults


def _dynamic_references(resource: Resource) -> Iterator[Fault]:
    """What AWS would look up in Parameter Store or Secrets Manager, told once for each resource that Trine makes."""
    if resource.known_type and mentions(resource.properties):
        path, reference = next(references("", resource.properties), ("", "{{resolve:…}}"))
        message = f"{resource.logical_id}: nothing is looked up for {reference}; the text stays as it is"
        hint = f'give its value in {FILE} beside the template (docs/templates.md, "Values from elsewhere")'
        yield _at(resource.location_of(path), message, hint, "template/dynamic-reference", "warning")


def _local_files(resource: Resource) -> Iterator[Fault]:
    for name, path in resource.local_files.items():
        if not path.exists():
            location = resource.location_of(name)
            message = f"{resource.logical_id}: {path} does not exist"
            if name == "DefinitionS3Location":
                hint = "it does not run here in any case; AWS would refuse it"
                yield _at(location, message, hint, "template/file", "warning")
                continue
            runtime = str(resource.properties.get("Runtime") or "")
            is_built = path.suffix in (".zip", ".jar") or (name == "Code" and not runtime.startswith(_FROM_SOURCE))
            hint = "build it first (sam build)" if is_built else _START
            yield _at(location, message, hint, "template/file")


def _function(resource: Resource) -> Iterator[Fault]:
    yield from _in_range(resource, "Timeout", 1, limits.LAMBDA_TIMEOUT_SECONDS, "s")
    yield from _in_range(resource, "MemorySize", limits.LAMBDA_MEMORY_MINIMUM_MB, limits.LAMBDA_MEMORY_MAXIMUM_MB, "MB")
    properties = resource.properties
    if properties.get("PackageType") != "Image":
        for name in ("Handler", "Runtime"):
            if not properties.get(name):
                message = f"{resource.logical_id} has no {name}"
                yield _at(resource.location, message, "functions from a folder or zip need it", "lambda/required")
        yield from _handler(resource)
    yield from _environment(resource)
    layers = properties.get("Layers")
    if isinstance(layers, list) and len(layers) > limits.LAMBDA_LAYERS:
        message = f"{resource.logical_id} has {len(layers)} layers; Lambda takes {limits.LAMBDA_LAYERS}"
        yield _at(resource.location_of("Layers"), message, "", "lambda/layers")


def _environment(resource: Resource) -> Iterator[Fault]:
    environment = resource.properties.get("Environment")
    variables = environment.get("Variables") if isinstance(environment, dict) else None
    if not isinstance(variables, dict):
        return
    size_bytes = sum(len(str(key).encode()) + len(str(value).encode()) for key, value in variables.items())
    if size_bytes > limits.LAMBDA_ENVIRONMENT_BYTES:
        location = resource.location_of("Environment")
        message = f"environment variables of {resource.logical_id} take {size_bytes:,} bytes; Lambda takes 4,096"
        yield _at(location, message, "keep large values in a table", "lambda/environment")
    for key, value in variables.items():
        if not isinstance(value, str):
            location = resource.location_of(f"Environment.Variables.{key}")
            message = f"environment variable {key} of {resource.logical_id} must be text"
            yield _at(location, message, "use Fn::ToJsonString for structured values", "lambda/environment")


def _in_range(resource: Resource, name: str, low: int, high: int, unit: str) -> Iterator[Fault]:
    value = resource.properties.get(name)
    if value is None:
        return
    location = resource.location_of(name)
    if isinstance(value, bool) or not isinstance(value, int):
        yield _at(location, f"{name} of {resource.logical_id} is {value!r}, not a whole number", "", "lambda/range")
    elif not low <= value <= high:
        message = f"{name} of {resource.logical_id} is {value}; Lambda takes {low} to {high} {unit}"
        yield _at(location, message, "", "lambda/range")


def _handler(resource: Resource) -> Iterator[Fault]:
    """A handler whose file is not there; functions that a build step makes (Metadata.BuildMethod) are left alone."""
    folder = resource.local_files.get("Code")
    handler, runtime = resource.properties.get("Handler"), str(resource.properties.get("Runtime") or "")
    if folder is None or not folder.is_dir() or not isinstance(handler, str):
        return
    module, dot, function = handler.rpartition(".")
    endings: tuple[str, ...] = ()
    if runtime.startswith("python"):
        endings = (".py", "/__init__.py", ".so", ".pyc")
        module = module.replace(".", "/")
    elif runtime.startswith("nodejs"):
        endings = (".js", ".mjs", ".cjs", ".ts", ".tsx", ".mts")
    if not endings:
        return
    location = resource.location_of("Handler")
    if Path(folder, handler).is_file():
        return  # a script that a layer's wrapper starts, such as run.sh for the Lambda Web Adapter
    if not dot or not module or not function:
        message = f"Handler of {resource.logical_id} is {handler!r}; it must be file.function"
        yield _at(location, message, "such as app.handler for app.py", "lambda/handler")
    elif not any(Path(folder, module + ending).exists() for ending in endings) and not resource.metadata.get(
        "BuildMethod"
    ):
        # AWS deploys it and answers each call with Runtime.ImportModuleError; the other functions are not hurt.
        message = f"Handler of {resource.logical_id}: there is no {module}{endings[0]} in {folder}"
        hint = "Handler is file.function, the file without its ending; every call will fail"
        yield _at(location, message, hint, "lambda/handler", "warning")


def _table(resource: Resource) -> Iterator[Fault]:
    properties = resource.properties
    schema = properties.get("KeySchema")
    if not isinstance(schema, list) or not schema:
        message = f"{resource.logical_id} has no KeySchema"
        yield _at(resource.location, message, "a table needs at least a HASH key", "dynamodb/key-schema")
        return
    attributes = properties.get("AttributeDefinitions")
    defined = (
        {str(each.get("AttributeName")) for each in attributes if isinstance(each, dict)}
        if isinstance(attributes, list)
        else set()
    )
    used: dict[str, str] = {}
    for path, keys in _key_schemas(properties):
        for key in keys if isinstance(keys, list) else []:
            if isinstance(key, dict):
                used.setdefault(str(key.get("AttributeName")), path)
    for name, path in used.items():
        if name not in defined:
            message = f"key attribute {name!r} of {resource.logical_id} is not in AttributeDefinitions"
            yield _at(resource.location_of(path), message, "define its type there", "dynamodb/attribute-definitions")
    for name in sorted(defined - set(used)):
        message = f"AttributeDefinitions of {resource.logical_id} names {name!r}, which no key uses"
        location = resource.location_of("AttributeDefinitions")
        yield _at(
            location, message, "define key attributes only; others need no definition", "dynamodb/attribute-definitions"
        )
    if properties.get("BillingMode", "PROVISIONED") == "PROVISIONED" and "ProvisionedThroughput" not in properties:
        message = f"{resource.logical_id} has neither BillingMode: PAY_PER_REQUEST nor ProvisionedThroughput"
        yield _at(resource.location, message, "add one of the two", "dynamodb/billing")


def _key_schemas(properties: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "KeySchema", properties.get("KeySchema")
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        indexes = properties.get(kind)
        for number, index in enumerate(indexes if isinstance(indexes, list) else []):
            if isinstance(index, dict):
                yield f"{kind}.{number}.KeySchema", index.get("KeySchema")


_CHECKS: Mapping[str, tuple[Callable[[Resource], Iterator[Fault]], ...]] = {
    "AWS::Lambda::Function": (_function,),
    "AWS::DynamoDB::Table": (_table,),
}
