"""CloudFormation's own API about the running stack, as the door needs it: reading only, query protocol.

Integration tests ask for a stack's outputs before anything else (`describe_stacks`, as `sam init` writes them), the SAM
CLI for its resources. Enters the template, leaves a `ServiceApi`. Outputs name addresses that answer here. Stacks are
made, changed and deleted by `trine up`: what would do that is refused as an operation that is not offered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from trine.aws.errors import AwsError
from trine.aws.protocol import ServiceModel
from trine.cloudformation.names import stack_id
from trine.cloudformation.resources import Resource
from trine.cloudformation.template import Template
from trine.iam.door import Deed, Input, Output, Right, ServiceApi, ServiceCall

STATUS = "CREATE_COMPLETE"
_UNCHECKED = {"StackDriftStatus": "NOT_CHECKED"}
_UNCHECKED_RESOURCE = {"StackResourceDriftStatus": "NOT_CHECKED"}
Local = Callable[[], Mapping[str, str]]
"""AWS's addresses → those that answer here, longer ones first."""


def cloudformation_api(template: Template, started_at: float, local: Local) -> ServiceApi:
    """The stack that runs and those nested in it. `started_at` in seconds since the epoch."""
    stacks = Stacks(template, started_at, local)
    operations: dict[str, Callable[[Input], Output]] = {
        "DescribeStacks": stacks.describe,
        "ListStacks": stacks.list,
        "DescribeStackResources": stacks.describe_resources,
        "DescribeStackResource": stacks.describe_resource,
        "ListStackResources": stacks.list_resources,
        "ListExports": stacks.list_exports,
        "GetTemplate": stacks.template_text,
    }
    model = ServiceModel("cloudformation", frozenset(operations))

    def deed(run: Callable[[Input], Output]) -> Deed:
        return lambda call: run(call.input)

    def rights(call: ServiceCall) -> list[Right]:
        name = str(call.input.get("StackName") or "")
        arn = name if name.startswith("arn:") else template.place.arn("cloudformation", f"stack/{name}/*")
        return [Right(f"cloudformation:{call.operation}", arn if name else "*")]

    return ServiceApi(
        service="cloudformation",
        model_of=lambda _: model,
        operations={name: deed(run) for name, run in operations.items()},
        rights=rights,
        internal=AwsError("An internal error occurred", code="InternalFailure"),
        subject=lambda call: str(call.input.get("StackName") or ""),
    )


def _refused(message: str) -> AwsError:
    return AwsError(message, code="ValidationError", status=400)


class Stacks:
    """What the API tells of the stack and its nested ones."""

    def __init__(self, root: Template, started_at: float, local: Local) -> None:
        self._root, self._started_at, self._local = root, started_at, local
        self._stacks = {template.stack_name: (template, parent) for template, parent in _with_nested(root, None)}

    def describe(self, given: Input) -> Output:
        """One stack, or all of them."""
        asked = given.get("StackName")
        chosen = [self._find(str(asked))] if asked else [template for template, _ in self._stacks.values()]
        return {"Stacks": [self._described(template) for template in chosen]}

    def list(self, given: Input) -> Output:
        """All stacks, or none when others than finished ones are wanted."""
        wanted = given.get("StackStatusFilter") or (STATUS,)
        found = [self._summary(template) for template, _ in self._stacks.values() if STATUS in wanted]
        return {"StackSummaries": found}

    def describe_resources(self, given: Input) -> Output:
        """The resources of a stack, or of the stack that has a resource of this physical id."""
        name, physical_id, logical_id = (
            given.get(key) for key in ("StackName", "PhysicalResourceId", "LogicalResourceId")
        )
        if name is None and physical_id is None:
            raise _refused("Either StackName or PhysicalResourceId must be specified")
        template = self._find(str(name)) if name is not None else self._owner(str(physical_id))
        found = [
            {**self._resource(template, resource), "Timestamp": self._started_at}
            for resource in _own(template)
            if logical_id in (None, resource.logical_id)
        ]
        if logical_id is not None and not found:
            raise _refused(f"Resource {logical_id} does not exist for stack {template.stack_name}")
        return {"StackResources": found}

    def describe_resource(self, given: Input) -> Output:
        """One resource by its logical id."""
        described = self.describe_resources(given)["StackResources"][0]
        stamp = described.pop("Timestamp")
        return {"StackResourceDetail": {**described, "LastUpdatedTimestamp": stamp}}

    def list_resources(self, given: Input) -> Output:
        """The resources of a stack, in fewer words."""
        template = self._find(str(given["StackName"]))
        short = ("LogicalResourceId", "PhysicalResourceId", "ResourceType", "ResourceStatus", "DriftInformation")
        found = [{key: self._resource(template, resource)[key] for key in short} for resource in _own(template)]
        return {"StackResourceSummaries": [{**one, "LastUpdatedTimestamp": self._started_at} for one in found]}

    def list_exports(self, given: Input) -> Output:
        """What outputs export."""
        local = self._local()
        return {
            "Exports": [
                {
                    "ExportingStackId": self._id(template),
                    "Name": output.export_name,
                    "Value": output.reached_here(local) or _text(output.value),
                }
                for template, _ in self._stacks.values()
                for output in template.outputs.values()
                if output.export_name
            ]
        }

    def template_text(self, given: Input) -> Output:
        """The template as it was written; what transforms made of it is not kept as a text."""
        template = self._find(str(given.get("StackName") or ""))
        if given.get("TemplateStage") == "Processed":
            raise _refused("TemplateStage Processed is not offered here, Original is")
        text = template.path.read_text("utf-8", "replace")
        return {"TemplateBody": text, "StagesAvailable": ["Original"]}

    def _find(self, asked: str) -> Template:
        found = self._stacks.get(asked)
        if found is None:
            name = asked.partition(":stack/")[2].partition("/")[0]
            found = self._stacks.get(name)
            if found is None or self._id(found[0]) != asked:
                raise _refused(f"Stack with id {asked} does not exist")
        return found[0]

    def _owner(self, physical_id: str) -> Template:
        for template, _ in self._stacks.values():
            if any(resource.physical_id == physical_id for resource in _own(template)):
                return template
        raise _refused(f"Stack for {physical_id} does not exist")

    def _id(self, template: Template) -> str:
        return stack_id(template.place, template.stack_name)

    def _summary(self, template: Template) -> dict[str, Any]:
        parent = self._stacks[template.stack_name][1]
        nested = {"ParentId": self._id(parent), "RootId": self._id(self._root)} if parent is not None else {}
        return {
            "StackId": self._id(template),
            "StackName": template.stack_name,
            "CreationTime": self._started_at,
            "StackStatus": STATUS,
            "DriftInformation": _UNCHECKED,
            **nested,
        }

    def _described(self, template: Template) -> dict[str, Any]:
        local = self._local()
        described = {
            **self._summary(template),
            "RollbackConfiguration": {},
            "DisableRollback": False,
            "NotificationARNs": [],
            "EnableTerminationProtection": False,
            "Tags": [],
            "Parameters": [
                {"ParameterKey": parameter.name, "ParameterValue": parameter.shown()}
                for parameter in template.parameters.values()
            ],
            "Outputs": [
                {
                    "OutputKey": output.name,
                    "OutputValue": output.reached_here(local) or _text(output.value),
                    **({"Description": output.description} if output.description else {}),
                    **({"ExportName": output.export_name} if output.export_name else {}),
                }
                for output in template.outputs.values()
            ],
        }
        return {**described, "Description": template.description} if template.description else described

    def _resource(self, template: Template, resource: Resource) -> dict[str, Any]:
        return {
            "StackName": template.stack_name,
            "StackId": self._id(template),
            "LogicalResourceId": resource.logical_id,
            "PhysicalResourceId": resource.physical_id,
            "ResourceType": resource.type,
            "ResourceStatus": STATUS,
            "DriftInformation": _UNCHECKED_RESOURCE,
        }


def _with_nested(template: Template, parent: Template | None) -> Iterator[tuple[Template, Template | None]]:
    yield template, parent
    for nested in template.nested.values():
        yield from _with_nested(nested, template)


def _own(template: Template) -> list[Resource]:
    """A stack's own resources: those of nested ones bear the nested stack's id and a dot."""
    return [resource for resource in template.resources.values() if "." not in resource.logical_id]


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
