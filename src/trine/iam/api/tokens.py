"""STS: AssumeRole, AssumeRoleWithWebIdentity, GetSessionToken, GetCallerIdentity, GetAccessKeyInfo.

Permission for AssumeRole is decided by trust and identity policies together, in `sts`; GetCallerIdentity and
GetSessionToken need none (STS API reference).
"""

from __future__ import annotations

from typing import Any

from trine.aws.protocol_errors import NotOffered
from trine.iam import limits
from trine.iam.api.operation import ApiOperation, Output, Turn, everything
from trine.iam.errors import ValidationError
from trine.iam.principal import Session


def credentials_of(session: Session) -> dict[str, Any]:
    """A session in the API's form."""
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.session_token,
        "Expiration": session.expires_at,
    }


def assume_role(turn: Turn) -> Output:
    """AssumeRole."""
    given = turn.input
    policy = given.get("Policy")
    for member in ("SerialNumber", "TokenCode", "TransitiveTagKeys", "SourceIdentity", "ProvidedContexts"):
        if given.get(member):
            raise NotOffered(f"Trine does not offer {member} of sts:AssumeRole")
    tags = {tag["Key"]: tag["Value"] for tag in given.get("Tags", ())}
    session = turn.access.tokens.assume_role(
        turn.signer,
        given["RoleArn"],
        given["RoleSessionName"],
        given.get("DurationSeconds"),
        external_id=given.get("ExternalId"),
        policy=policy,
        policy_arns=[one["arn"] for one in given.get("PolicyArns", ()) if "arn" in one],
        tags=tags,
    )
    answer: dict[str, Any] = {
        "Credentials": credentials_of(session),
        "AssumedRoleUser": {"AssumedRoleId": session.principal.user_id, "Arn": session.principal.arn},
    }
    if policy is not None:
        answer["PackedPolicySize"] = max(1, len(policy) * 100 // limits.SESSION_POLICY_MAX_CHARACTERS)
    return answer


async def assume_role_with_web_identity(turn: Turn) -> Output:
    """AssumeRoleWithWebIdentity: no signature; a token of a provider that the role trusts."""
    given, access = turn.input, turn.access
    identity = await access.federation.identify(given["WebIdentityToken"], access.clock.now())
    session = access.tokens.assume_role_with_web_identity(
        identity,
        given["RoleArn"],
        given["RoleSessionName"],
        given.get("DurationSeconds"),
        policy=given.get("Policy"),
        policy_arns=[one["arn"] for one in given.get("PolicyArns", ()) if "arn" in one],
    )
    return {
        "Credentials": credentials_of(session),
        "SubjectFromWebIdentityToken": identity.subject,
        "AssumedRoleUser": {"AssumedRoleId": session.principal.user_id, "Arn": session.principal.arn},
        "Provider": identity.provider.arn,
        "Audience": identity.audience,
    }


def get_session_token(turn: Turn) -> Output:
    """GetSessionToken."""
    for member in ("SerialNumber", "TokenCode"):
        if turn.input.get(member):
            raise NotOffered(f"Trine does not offer {member} of sts:GetSessionToken")
    session = turn.access.tokens.session_token(turn.signer, turn.input.get("DurationSeconds"))
    return {"Credentials": credentials_of(session)}


def get_caller_identity(turn: Turn) -> Output:
    """GetCallerIdentity."""
    principal = turn.signer.principal
    return {"UserId": principal.user_id, "Account": principal.account_id, "Arn": principal.arn}


def get_access_key_info(turn: Turn) -> Output:
    """GetAccessKeyInfo: the account of an access key id."""
    credential = turn.access.credentials.find(turn.input["AccessKeyId"])
    if credential is None:
        raise ValidationError("Invalid access key id")
    return {"Account": credential.principal.account_id}


OPERATIONS = {
    "AssumeRole": ApiOperation(assume_role),
    "AssumeRoleWithWebIdentity": ApiOperation(assume_role_with_web_identity, signed=False),
    "GetSessionToken": ApiOperation(get_session_token),
    "GetCallerIdentity": ApiOperation(get_caller_identity),
    "GetAccessKeyInfo": ApiOperation(get_access_key_info, everything),
}
