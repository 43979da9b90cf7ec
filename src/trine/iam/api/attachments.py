"""What roles, users and groups share: inline policies, attached policies, boundaries, tags.

One table of operations is made for each kind: `PutRolePolicy`, `PutUserPolicy`, `PutGroupPolicy` are one function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trine.iam import limits
from trine.iam.api.operation import ApiOperation, Output, Turn, encoded, named, page, tag_list
from trine.iam.directory import Identity, Kind
from trine.iam.errors import LimitExceeded, NoSuchEntity
from trine.iam.provision import INLINE_CHARACTERS_MAX, check_name, check_tags, document_text

Deed = Callable[[Turn, Identity], Output]


def put_policy(turn: Turn, holder: Identity) -> Output:
    """Put…Policy: an inline policy, new or changed."""
    name = check_name(turn.input["PolicyName"], "policyName", 128)
    longest = INLINE_CHARACTERS_MAX[holder.kind]
    text = document_text(turn.input["PolicyDocument"], "identity", name, longest)
    inline = {**holder.inline, name: text}
    if sum(len("".join(one.split())) for one in inline.values()) > longest:
        raise LimitExceeded(f"Maximum policy size of {longest} bytes exceeded for {holder.kind} {holder.name}")
    holder.inline = inline
    turn.access.directory.save(holder)
    return {}


def get_policy(turn: Turn, holder: Identity) -> Output:
    """Get…Policy: an inline policy."""
    name = turn.input["PolicyName"]
    document = _inline(holder, name)
    return {f"{holder.kind.capitalize()}Name": holder.name, "PolicyName": name, "PolicyDocument": encoded(document)}


def delete_policy(turn: Turn, holder: Identity) -> Output:
    """Delete…Policy: an inline policy."""
    _inline(holder, turn.input["PolicyName"])
    del holder.inline[turn.input["PolicyName"]]
    turn.access.directory.save(holder)
    return {}


def _inline(holder: Identity, name: str) -> str:
    document = holder.inline.get(name)
    if document is None:
        raise NoSuchEntity(f"The {holder.kind} policy with name {name} cannot be found.")
    return document


def list_policies(turn: Turn, holder: Identity) -> Output:
    """List…Policies: names of inline policies."""
    return page(sorted(holder.inline), turn.input, "PolicyNames")


def attach_policy(turn: Turn, holder: Identity) -> Output:
    """Attach…Policy; attaching twice is no error."""
    arn = turn.input["PolicyArn"]
    turn.access.directory.policy(arn)
    if arn not in holder.attached:
        if len(holder.attached) >= limits.MANAGED_POLICIES_ATTACHED_MAX:
            kind = holder.kind.capitalize()
            raise LimitExceeded(f"Cannot exceed quota for PoliciesPer{kind}: {limits.MANAGED_POLICIES_ATTACHED_MAX}")
        holder.attached.append(arn)
        turn.access.directory.save(holder)
    return {}


def detach_policy(turn: Turn, holder: Identity) -> Output:
    """Detach…Policy."""
    arn = turn.input["PolicyArn"]
    if arn not in holder.attached:
        raise NoSuchEntity(f"Policy {arn} was not found.")
    holder.attached.remove(arn)
    turn.access.directory.save(holder)
    return {}


def list_attached(turn: Turn, holder: Identity) -> Output:
    """ListAttached…Policies, of a path when asked."""
    directory = turn.access.directory
    prefix = turn.input.get("PathPrefix", "/")
    policies = [policy for arn in holder.attached if (policy := directory.policy(arn)).path.startswith(prefix)]
    items = [{"PolicyName": policy.name, "PolicyArn": policy.arn} for policy in policies]
    return page(items, turn.input, "AttachedPolicies")


def put_boundary(turn: Turn, holder: Identity) -> Output:
    """Put…PermissionsBoundary."""
    arn = turn.input["PermissionsBoundary"]
    turn.access.directory.policy(arn)
    holder.boundary = arn
    turn.access.directory.save(holder)
    return {}


def delete_boundary(turn: Turn, holder: Identity) -> Output:
    """Delete…PermissionsBoundary."""
    if holder.boundary is None:
        raise NoSuchEntity(f"{holder.kind.capitalize()} {holder.name} does not have a permissions boundary")
    holder.boundary = None
    turn.access.directory.save(holder)
    return {}


def with_tags(tags: Mapping[str, str], more: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Tags with `more` added or changed; LimitExceeded, ValidationError."""
    given = check_tags(more)
    return check_tags(tag_list(without_tags(tags, list(given)) | given))


def without_tags(tags: Mapping[str, str], keys: Sequence[str]) -> dict[str, str]:
    """Tags without those keys, which are not case-sensitive."""
    gone = {key.lower() for key in keys}
    return {key: value for key, value in tags.items() if key.lower() not in gone}


def tag(turn: Turn, holder: Identity) -> Output:
    """Tag…: tags added or changed; keys are not case-sensitive."""
    holder.tags = with_tags(holder.tags, turn.input["Tags"])
    turn.access.directory.save(holder)
    return {}


def untag(turn: Turn, holder: Identity) -> Output:
    """Untag…: tags taken away."""
    holder.tags = without_tags(holder.tags, turn.input["TagKeys"])
    turn.access.directory.save(holder)
    return {}


def list_tags(turn: Turn, holder: Identity) -> Output:
    """List…Tags."""
    return page(tag_list(holder.tags), turn.input, "Tags")


def _on(kind: Kind, member: str, deed: Deed) -> Callable[[Turn], Output]:
    return lambda turn: deed(turn, turn.access.directory.get(kind, turn.input[member]))


def _policy_arn(turn: Turn) -> Mapping[str, Sequence[str]]:
    keys: dict[str, Sequence[str]] = {}
    if (arn := turn.input.get("PolicyArn")) is not None:
        keys["iam:PolicyARN"] = (arn,)
    if (boundary := turn.input.get("PermissionsBoundary")) is not None:
        keys["iam:PermissionsBoundary"] = (boundary,)
    return keys


def operations_for(kind: Kind) -> dict[str, ApiOperation]:
    """The shared operations under the names they have for `kind`."""
    noun, member = kind.capitalize(), f"{kind.capitalize()}Name"
    deeds: dict[str, Deed] = {
        f"Put{noun}Policy": put_policy,
        f"Get{noun}Policy": get_policy,
        f"Delete{noun}Policy": delete_policy,
        f"List{noun}Policies": list_policies,
        f"Attach{noun}Policy": attach_policy,
        f"Detach{noun}Policy": detach_policy,
        f"ListAttached{noun}Policies": list_attached,
    }
    if kind != "group":
        deeds |= {
            f"Put{noun}PermissionsBoundary": put_boundary,
            f"Delete{noun}PermissionsBoundary": delete_boundary,
            f"Tag{noun}": tag,
            f"Untag{noun}": untag,
            f"List{noun}Tags": list_tags,
        }
    resource = named(kind, member)
    return {name: ApiOperation(_on(kind, member, deed), resource, context=_policy_arn) for name, deed in deeds.items()}


def boundary_member(holder: Identity) -> dict[str, Any]:
    """`PermissionsBoundary` in the API's form, empty without one."""
    if holder.boundary is None:
        return {}
    boundary = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": holder.boundary}
    return {"PermissionsBoundary": boundary}
