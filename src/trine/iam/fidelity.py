"""What the identity wing does with each template property: enforced, stored or ignored. Read by the manifest.

A path covers all below it unless a longer one is listed; what is not listed is ignored.
"""

from __future__ import annotations

from trine.aws.fidelity import Fidelity

_E, _S = Fidelity.ENFORCED, Fidelity.STORED

FIDELITY: dict[str, dict[str, Fidelity]] = {
    "AWS::IAM::Role": {
        "RoleName": _E,
        "Path": _E,
        "AssumeRolePolicyDocument": _E,
        "Policies": _E,
        "ManagedPolicyArns": _E,
        "PermissionsBoundary": _E,
        "MaxSessionDuration": _E,
        "Description": _S,
        "Tags": _E,
    },
    "AWS::IAM::ManagedPolicy": {
        "ManagedPolicyName": _E,
        "Path": _E,
        "PolicyDocument": _E,
        "Roles": _E,
        "Users": _E,
        "Groups": _E,
        "Description": _S,
    },
    "AWS::IAM::Policy": {"PolicyName": _E, "PolicyDocument": _E, "Roles": _E, "Users": _E, "Groups": _E},
    "AWS::IAM::RolePolicy": {"PolicyName": _E, "PolicyDocument": _E, "RoleName": _E},
    "AWS::IAM::User": {
        "UserName": _E,
        "Path": _E,
        "Policies": _E,
        "ManagedPolicyArns": _E,
        "PermissionsBoundary": _E,
        "Groups": _E,
        "Tags": _E,
    },
    "AWS::IAM::Group": {"GroupName": _E, "Path": _E, "Policies": _E, "ManagedPolicyArns": _E},
}
