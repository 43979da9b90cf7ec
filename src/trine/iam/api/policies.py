"""IAM's managed policies and their versions."""

from __future__ import annotations

from typing import Any

from trine.iam import limits
from trine.iam.api.attachments import with_tags, without_tags
from trine.iam.api.operation import ApiOperation, Input, Output, Turn, encoded, everything, page, tag_list
from trine.iam.directory import Directory, ManagedPolicy, aws_managed_arns
from trine.iam.errors import AccessDenied, DeleteConflict, LimitExceeded, NoSuchEntity
from trine.iam.provision import check_name, check_path, check_tags, document_text


def _of(directory: Directory, arn: str) -> ManagedPolicy:
    try:
        return directory.policy(arn)
    except NoSuchEntity:
        raise NoSuchEntity(f"Policy {arn} was not found.") from None


def _own(directory: Directory, arn: str) -> ManagedPolicy:
    """A policy that the account may change; AWS managed ones are not."""
    policy = _of(directory, arn)
    if arn not in directory.policies:
        raise AccessDenied("iam", f"Policy {arn} is an AWS managed policy and cannot be changed")
    return policy


def policy_document(directory: Directory, policy: ManagedPolicy) -> dict[str, Any]:
    """A managed policy in the API's form."""
    boundaries = sum(one.boundary == policy.arn for known in directory.identities.values() for one in known.values())
    document: dict[str, Any] = {
        "PolicyName": policy.name,
        "PolicyId": policy.unique_id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.default_version,
        "AttachmentCount": len(directory.attached_to(policy.arn)),
        "PermissionsBoundaryUsageCount": boundaries,
        "IsAttachable": True,
        "CreateDate": policy.created_at,
        "UpdateDate": policy.updated_at,
    }
    if policy.description:
        document["Description"] = policy.description
    if policy.tags:
        document["Tags"] = tag_list(policy.tags)
    return document


def create_policy(turn: Turn) -> Output:
    """CreatePolicy."""
    given = turn.input
    name, path = check_name(given["PolicyName"], "policyName", 128), check_path(given.get("Path", "/"))
    text = document_text(given["PolicyDocument"], "identity", name, limits.MANAGED_POLICY_MAX_CHARACTERS)
    tags = check_tags(given.get("Tags", ()))
    policy = turn.access.directory.new_policy(name, path, text, given.get("Description", ""), tags)
    return {"Policy": policy_document(turn.access.directory, policy)}


def get_policy(turn: Turn) -> Output:
    """GetPolicy."""
    directory = turn.access.directory
    return {"Policy": policy_document(directory, _of(directory, turn.input["PolicyArn"]))}


def list_policies(turn: Turn) -> Output:
    """ListPolicies of scope All, AWS or Local."""
    directory, scope = turn.access.directory, turn.input.get("Scope", "All")
    policies = list(directory.policies.values()) if scope != "AWS" else []
    if scope != "Local":
        policies += [directory.policy(arn) for arn in aws_managed_arns()]
    prefix = turn.input.get("PathPrefix", "/")
    listed = [policy_document(directory, policy) for policy in policies if policy.path.startswith(prefix)]
    if turn.input.get("OnlyAttached"):
        listed = [one for one in listed if one["AttachmentCount"]]
    listed = [{key: value for key, value in one.items() if key not in {"Description", "Tags"}} for one in listed]
    return page(sorted(listed, key=lambda one: str(one["PolicyName"])), turn.input, "Policies")


def delete_policy(turn: Turn) -> Output:
    """DeletePolicy; it has to be detached and its other versions deleted first."""
    directory = turn.access.directory
    policy = _own(directory, turn.input["PolicyArn"])
    if directory.attached_to(policy.arn) or policy_document(directory, policy)["PermissionsBoundaryUsageCount"]:
        raise DeleteConflict("Cannot delete a policy attached to entities.")
    if len(policy.versions) > 1:
        raise DeleteConflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
            "The default version is deleted with the policy."
        )
    directory.remove_policy(policy)
    return {}


def _version(policy: ManagedPolicy, version: str) -> dict[str, Any]:
    text, created_at = policy.versions[version]
    return {
        "Document": encoded(text),
        "VersionId": version,
        "IsDefaultVersion": version == policy.default_version,
        "CreateDate": created_at,
    }


def _named_version(policy: ManagedPolicy, given: Input) -> str:
    version = str(given["VersionId"])
    if version not in policy.versions:
        raise NoSuchEntity(f"Policy {policy.arn} version {version} does not exist or is not attachable.")
    return version


def create_version(turn: Turn) -> Output:
    """CreatePolicyVersion."""
    directory, given = turn.access.directory, turn.input
    policy = _own(directory, given["PolicyArn"])
    text = document_text(given["PolicyDocument"], "identity", policy.name, limits.MANAGED_POLICY_MAX_CHARACTERS)
    if len(policy.versions) >= limits.POLICY_VERSIONS_MAX:
        raise LimitExceeded(
            f"A managed policy can have up to {limits.POLICY_VERSIONS_MAX} versions. Before you create a new version, "
            "you must delete an existing version."
        )
    version = f"v{policy.next_version}"
    policy.next_version += 1
    now = turn.access.clock.now()
    policy.versions[version] = (text, now)
    if given.get("SetAsDefault"):
        policy.default_version, policy.updated_at = version, now
    directory.save_policy(policy)
    answer = _version(policy, version)
    del answer["Document"]
    return {"PolicyVersion": answer}


def get_version(turn: Turn) -> Output:
    """GetPolicyVersion with its document."""
    policy = _of(turn.access.directory, turn.input["PolicyArn"])
    return {"PolicyVersion": _version(policy, _named_version(policy, turn.input))}


def list_versions(turn: Turn) -> Output:
    """ListPolicyVersions, newest first, without documents."""
    policy = _of(turn.access.directory, turn.input["PolicyArn"])
    listed = [{k: v for k, v in _version(policy, one).items() if k != "Document"} for one in policy.versions]
    return page(sorted(listed, key=lambda one: -int(str(one["VersionId"])[1:])), turn.input, "Versions")


def set_default_version(turn: Turn) -> Output:
    """SetDefaultPolicyVersion."""
    policy = _own(turn.access.directory, turn.input["PolicyArn"])
    policy.default_version = _named_version(policy, turn.input)
    policy.updated_at = turn.access.clock.now()
    turn.access.directory.save_policy(policy)
    return {}


def delete_version(turn: Turn) -> Output:
    """DeletePolicyVersion; not the default one."""
    policy = _own(turn.access.directory, turn.input["PolicyArn"])
    version = _named_version(policy, turn.input)
    if version == policy.default_version:
        raise DeleteConflict("Cannot delete the default version of a policy.")
    del policy.versions[version]
    turn.access.directory.save_policy(policy)
    return {}


def list_entities(turn: Turn) -> Output:
    """ListEntitiesForPolicy: the roles, users and groups that a policy is attached to."""
    policy = _of(turn.access.directory, turn.input["PolicyArn"])
    entities = [
        (one.kind, {f"{one.kind.capitalize()}Name": one.name, f"{one.kind.capitalize()}Id": one.unique_id})
        for one in turn.access.directory.attached_to(policy.arn)
    ]
    cut = page(entities, turn.input, "all")
    members = cut.pop("all")
    for kind in ("role", "user", "group"):
        cut[f"Policy{kind.capitalize()}s"] = [document for one, document in members if one == kind]
    return cut


def tag(turn: Turn) -> Output:
    """TagPolicy: tags added or changed; keys are not case-sensitive."""
    policy = _own(turn.access.directory, turn.input["PolicyArn"])
    policy.tags = with_tags(policy.tags, turn.input["Tags"])
    turn.access.directory.save_policy(policy)
    return {}


def untag(turn: Turn) -> Output:
    """UntagPolicy: tags taken away."""
    policy = _own(turn.access.directory, turn.input["PolicyArn"])
    policy.tags = without_tags(policy.tags, turn.input["TagKeys"])
    turn.access.directory.save_policy(policy)
    return {}


def list_tags(turn: Turn) -> Output:
    """ListPolicyTags."""
    return page(tag_list(_of(turn.access.directory, turn.input["PolicyArn"]).tags), turn.input, "Tags")


def _policy_arn(turn: Turn) -> str:
    if "PolicyArn" in turn.input:
        return str(turn.input["PolicyArn"])
    path = turn.input.get("Path", "/")
    return turn.access.place.arn("iam", f"policy{path}{turn.input['PolicyName']}", regional=False)


OPERATIONS = {
    "CreatePolicy": ApiOperation(create_policy, _policy_arn),
    "GetPolicy": ApiOperation(get_policy, _policy_arn),
    "ListPolicies": ApiOperation(list_policies, everything),
    "DeletePolicy": ApiOperation(delete_policy, _policy_arn),
    "CreatePolicyVersion": ApiOperation(create_version, _policy_arn),
    "GetPolicyVersion": ApiOperation(get_version, _policy_arn),
    "ListPolicyVersions": ApiOperation(list_versions, _policy_arn),
    "SetDefaultPolicyVersion": ApiOperation(set_default_version, _policy_arn),
    "DeletePolicyVersion": ApiOperation(delete_version, _policy_arn),
    "TagPolicy": ApiOperation(tag, _policy_arn),
    "UntagPolicy": ApiOperation(untag, _policy_arn),
    "ListPolicyTags": ApiOperation(list_tags, _policy_arn),
    "ListEntitiesForPolicy": ApiOperation(list_entities, _policy_arn),
}
