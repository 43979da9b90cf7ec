"""SAM resources become CloudFormation's, by aws-sam-translator. Child process only.

The translator accepts only s3:// code; local paths are swapped for numbered stand-ins before it runs, and put back.
Each SAM resource carries its logical id through the translator in its Metadata, so that what was made of it keeps its
line. Errors of the translator name logical ids and properties; they are looked up in the text.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from trine.cloudformation import sam_imports
from trine.cloudformation.document import Positions
from trine.cloudformation.faults import Fault
from trine.cloudformation.route_order import order_routes

TRANSFORM = "AWS::Serverless-2016-10-31"
_BUCKET = "trine-local-path"
_SOURCE = "Trine::Source"
_REPOSITORY = "https://serverlessrepo.aws.amazon.com/applications/"

_LOCAL_PROPERTIES = {
    "AWS::Serverless::Function": ("CodeUri",),
    "AWS::Serverless::WebFunction": ("CodeUri",),
    "AWS::Serverless::LayerVersion": ("ContentUri",),
    "AWS::Serverless::Api": ("DefinitionUri",),
    "AWS::Serverless::HttpApi": ("DefinitionUri",),
    "AWS::Serverless::StateMachine": ("DefinitionUri",),
}
_GLOBAL_TYPES = {"Function": "Function", "LayerVersion": "LayerVersion", "Api": "Api", "HttpApi": "HttpApi"}


def expand_sam(
    template: dict[str, Any], positions: Positions, parameters: Mapping[str, Any], region: str
) -> tuple[dict[str, Any], dict[str, str], list[Fault]]:
    """`template` expanded, generated logical id → logical id it came from, and the translator's faults.

    `parameters` are the overrides; defaults are the translator's to add. On faults the template comes back as it was.
    """
    shapes = [resource for resource in template.get("Resources", {}).values() if isinstance(resource, dict)]
    original = copy.deepcopy(template)
    swapped: list[Any] = []
    _swap_local_paths(template, swapped)
    sources: dict[str, str] = {}
    kept = _mark_sources(template)
    needs_whole = any(resource.get("Type") in sam_imports.WHOLE_TYPES for resource in shapes)
    text_faults, expanded = _translate(template, positions, parameters, region, needs_whole)
    if text_faults:
        return original, {}, text_faults
    for logical_id, resource in expanded["Resources"].items():
        metadata = resource.get("Metadata")
        if isinstance(metadata, dict) and _SOURCE in metadata:
            source = metadata[_SOURCE]
            sources[logical_id] = source
            resource.pop("Metadata")
            # A layer's logical id got the hash of its content.
            is_itself = logical_id in original["Resources"] or resource.get("Type") == "AWS::Lambda::LayerVersion"
            if kept.get(source) and is_itself:
                resource["Metadata"] = kept[source]
    _source_implicit_apis(original, expanded, sources)
    _source_by_prefix(original, expanded, sources)
    order_routes(original, expanded, positions)
    _put_back(expanded, swapped)
    return expanded, sources, []


def _translate(
    template: dict[str, Any], positions: Positions, parameters: Mapping[str, Any], region: str, whole: bool
) -> tuple[list[Fault], dict[str, Any]]:
    if whole:
        return _run_translator(template, positions, parameters, region)
    attempt = copy.deepcopy(template)
    try:
        sam_imports.install(region)
        faults, expanded = _run_translator(attempt, positions, parameters, region)
        if not any(fault.rule == "template/sam-crash" for fault in faults):
            return faults, expanded
    except (sam_imports.NeedsWhole, Exception):  # noqa: S110
        pass  # this version of the translator wants more than the stand-ins offer: the real modules follow
    sam_imports.restore_real_modules()
    return _run_translator(template, positions, parameters, region)


def _run_translator(
    template: dict[str, Any], positions: Positions, parameters: Mapping[str, Any], region: str
) -> tuple[list[Fault], dict[str, Any]]:
    import boto3
    from samtranslator.internal.managed_policies import get_bundled_managed_policy_map
    from samtranslator.model.exceptions import ExceptionWithMessage, InvalidDocumentException
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.arn_generator import ArnGenerator
    from samtranslator.translator.translator import Translator
    from samtranslator.utils.py27hash_fix import to_py27_compatible_template, undo_mark_unicode_str_in_template

    policies = get_bundled_managed_policy_map(ArnGenerator.get_partition_name(region)) or {}
    values = {**parameters, **_lists(template, parameters)}
    try:
        # Python-2 hashes: the ids of Deployments on AWS are made from them.
        to_py27_compatible_template(template, values)
        translator = Translator(policies, Parser(), boto_session=boto3.Session(region_name=region))
        expanded = translator.translate(
            template, values, passthrough_metadata=True, get_managed_policy_map=lambda: policies
        )
        return [], undo_mark_unicode_str_in_template(expanded)
    except InvalidDocumentException as error:
        return [_fault_of(cause.message, positions) for cause in error.causes], {}
    except ExceptionWithMessage as error:
        return [_fault_of(error.message, positions)], {}
    except Exception as error:
        place = positions.of("Transform")
        message = f"aws-sam-translator stopped with {type(error).__name__}: {error}"
        hint = "a property has a shape it does not expect; `trine validate` may name it"
        return [Fault(place.file, place.line, place.column, message, hint, "template/sam-crash")], {}


def _lists(template: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, list[str]]:
    """Parameters of list types as lists: so CloudFormation hands them to a transform."""
    found: dict[str, list[str]] = {}
    for name, declared in (template.get("Parameters") or {}).items():
        kind = str(declared.get("Type")) if isinstance(declared, Mapping) else ""
        value = parameters.get(name, declared.get("Default") if isinstance(declared, Mapping) else None)
        if isinstance(value, str) and (kind == "CommaDelimitedList" or kind.startswith("List<")):
            found[name] = [part.strip() for part in value.split(",")]
    return found


def _fault_of(message: str, positions: Positions) -> Fault:
    """The translator's sentence, at the place it speaks of."""
    path: list[str | int] = ["Transform"]
    resource = re.search(r"(?:Resource with id|resource with id|with id) \[([A-Za-z0-9]+)\]", message)
    event = re.search(r"Event with id \[([A-Za-z0-9]+)\]", message)
    if resource and positions.knows("Resources", resource.group(1)):
        path = ["Resources", resource.group(1)]
    if event:
        suffix = f"/Events/{event.group(1)}"
        below = f"Resources/{path[1]}/" if len(path) == 2 else "Resources/"
        for known in positions.table:
            if known.startswith(below) and known.endswith(suffix):
                path = list(known.split("/"))
                break
    for name in re.findall(r"'([A-Za-z][A-Za-z0-9.]*)'", message):
        prefix = "/".join(map(str, path))
        tail = "/" + name.replace(".", "/")
        known_path = next((known for known in positions.table if known.startswith(prefix) and known.endswith(tail)), "")
        if known_path:
            path = list(known_path.split("/"))
            break
    place = positions.of(*path)
    sentence = re.sub(r"^Structure of the SAM template is invalid\. ", "", message)
    return Fault(place.file, place.line, place.column, sentence, _hint_of(message), "template/sam")


def _hint_of(message: str) -> str:
    if "policy template" in message.lower() or "Must specify valid parameter values" in message:
        return "https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html"
    if "property" in message.lower() or "Missing required" in message:
        return "see the resource's properties in the SAM specification"
    if "already exists" in message:
        return "choose another logical id, or another event name"
    return ""


def _mark_sources(template: dict[str, Any]) -> dict[str, Any]:
    """Write each SAM resource's logical id into its Metadata; returns the Metadata that stood there."""
    kept: dict[str, Any] = {}
    for logical_id, resource in template.get("Resources", {}).items():
        kind = resource.get("Type") if isinstance(resource, dict) else None
        if isinstance(kind, str) and kind.startswith("AWS::Serverless::"):
            kept[logical_id] = resource.get("Metadata")
            metadata = kept[logical_id] if isinstance(kept[logical_id], dict) else {}
            resource["Metadata"] = {**metadata, _SOURCE: logical_id}
    return kept


def _source_implicit_apis(original: dict[str, Any], expanded: dict[str, Any], sources: dict[str, str]) -> None:
    """Implicit APIs come from the first event that names no API."""
    for kind, prefix, property_name in (
        ("Api", "ServerlessRestApi", "RestApiId"),
        ("HttpApi", "ServerlessHttpApi", "ApiId"),
    ):
        for logical_id, resource in original["Resources"].items():
            events = (resource.get("Properties") or {}).get("Events")
            for name, event in events.items() if isinstance(events, dict) else ():
                if not isinstance(event, dict) or event.get("Type") != kind:
                    continue
                if property_name not in (event.get("Properties") or {}):
                    path = f"{logical_id}/Properties/Events/{name}"
                    for made in expanded["Resources"]:
                        if made.startswith(prefix):
                            sources.setdefault(made, path)


def _source_by_prefix(original: dict[str, Any], expanded: dict[str, Any], sources: dict[str, str]) -> None:
    """Whatever else was made (policies of connectors, deployment groups) bears its maker's id in front."""
    for logical_id in expanded["Resources"]:
        if logical_id not in sources and logical_id not in original["Resources"]:
            makers = [each for each in original["Resources"] if logical_id.startswith(each)]
            if makers:
                sources[logical_id] = max(makers, key=len)


def _is_remote(uri: Any) -> bool:
    if isinstance(uri, str):
        return uri.startswith(("s3://", "https://", "http://"))
    return isinstance(uri, dict) and ("Bucket" in uri or "Key" in uri)


def _holders(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for section, kind in _GLOBAL_TYPES.items():
        shared = template.get("Globals")
        properties = shared.get(section) if isinstance(shared, dict) else None
        if isinstance(properties, dict):
            yield f"AWS::Serverless::{kind}", properties
    for resource in template.get("Resources", {}).values():
        if isinstance(resource, dict) and isinstance(resource.get("Type"), str):
            if resource["Type"] == "AWS::Serverless::Function":
                _default_code(template, resource)
            properties = resource.get("Properties")
            if resource["Type"] == "AWS::Serverless::Application" and isinstance(properties, dict):
                _leave_repository_alone(properties)
            if isinstance(properties, dict):
                yield resource["Type"], properties


def _default_code(template: dict[str, Any], resource: dict[str, Any]) -> None:
    """A function without code is the folder of the template, as `sam build` and `sam deploy` have it."""
    properties = resource.setdefault("Properties", {})
    shared = template.get("Globals")
    defaults = shared.get("Function") if isinstance(shared, dict) else None
    both = [each for each in (properties, defaults) if isinstance(each, dict)]
    if not isinstance(properties, dict):
        return
    if any(each.get("PackageType") == "Image" for each in both):
        if not any("ImageUri" in each for each in both):
            properties["ImageUri"] = "trine-local-image"
    elif not any("CodeUri" in each or "InlineCode" in each or "ImageUri" in each for each in both):
        properties["CodeUri"] = "."


def _leave_repository_alone(properties: dict[str, Any]) -> None:
    """Applications of the Serverless Application Repository: the translator would ask AWS; here they become a nested
    stack of a remote template, which the manifest lists as unsupported."""
    location = properties.get("Location")
    if isinstance(location, dict):
        named = location.get("ApplicationId")
        properties["Location"] = f"{_REPOSITORY}{named if isinstance(named, str) else ''}"


def _swap_local_paths(template: dict[str, Any], swapped: list[Any]) -> None:
    for kind, properties in _holders(template):
        for name in _LOCAL_PROPERTIES.get(kind, ()):
            if name in properties and properties[name] is not None and not _is_remote(properties[name]):
                swapped.append(properties[name])
                properties[name] = f"s3://{_BUCKET}/{len(swapped) - 1}"


def _put_back(expanded: Any, swapped: list[Any]) -> None:
    """Every {Bucket: stand-in, Key: number} becomes the path (or intrinsic) that stood there."""

    def original(value: Any) -> tuple[bool, Any]:
        if isinstance(value, dict) and _BUCKET in (value.get("S3Bucket"), value.get("Bucket")):
            return True, copy.deepcopy(swapped[int(value["S3Key"] if "S3Key" in value else value["Key"])])
        return False, None

    _replace(expanded, original)


def _replace(tree: Any, decide: Callable[[Any], tuple[bool, Any]]) -> None:
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in list(pairs):
        found, other = decide(value)
        if found:
            tree[key] = other
        else:
            _replace(value, decide)
