"""Security Token Service: from a role or a user to temporary credentials.

Enters who asks and for which role, leaves a `Session`. The role's trust policy decides, and for a caller that it names
only through the account, the caller's identity policies too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from trine.aws.arn import Arn
from trine.iam import limits
from trine.iam.caller import Caller, lookup_of
from trine.iam.credentials import CredentialStore
from trine.iam.directory import Directory, Identity
from trine.iam.errors import AccessDenied, ValidationError
from trine.iam.evaluator import Question, evaluate
from trine.iam.federation import WebIdentity
from trine.iam.holdings import compiled
from trine.iam.policy import CompiledPolicy, parse_policy
from trine.iam.principal import Principal, Session
from trine.iam.principals import Requester
from trine.iam.refusal import refusal_facts

_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
ASSUME_ROLE = "sts:AssumeRole"


class TokenService:
    """Hands out temporary credentials."""

    def __init__(self, directory: Directory, credentials: CredentialStore) -> None:
        self._directory = directory
        self._credentials = credentials

    def assume_role_for_service(
        self,
        role_arn: str,
        session_name: str,
        service: str,
        duration_seconds: int,
        source_arn: str | None = None,
    ) -> Session:
        """Credentials of a role for a service principal. AccessDenied when the trust policy does not name it.

        `source_arn` is what the service acts for: `aws:SourceArn` of the trust policy.
        """
        role = self._directory.role_by_arn(role_arn)
        if role is None:
            raise AccessDenied("sts", f"Role {role_arn} does not exist", {"missing": {"role": role_arn}})
        account = self._directory.place.account_id
        context = {"aws:sourceaccount": (account,)}
        if source_arn is not None:
            context["aws:sourcearn"] = (source_arn,)
        question = Question(
            Requester(service=service), "sts:assumerole", role.arn, context.get, resource_policy=trust_of(role)
        )
        decision = evaluate(question)
        if not decision.allowed:
            raise AccessDenied(
                "sts",
                f"Service: {service} is not authorized to perform: {ASSUME_ROLE} on resource: {role.arn} "
                "because no role trust policy allows the sts:AssumeRole action",
                refusal_facts(service, ASSUME_ROLE, question, decision, (trust_of(role),)),
            )
        return self.issue(role, session_name, duration_seconds, source_arn=source_arn)

    def assume_role(
        self,
        caller: Caller,
        role_arn: str,
        session_name: str,
        duration_seconds: int | None = None,
        *,
        external_id: str | None = None,
        policy: str | None = None,
        policy_arns: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
    ) -> Session:
        """AssumeRole. AccessDenied, ValidationError, MalformedPolicy."""
        _check_arn(role_arn)
        role = self._directory.role_by_arn(role_arn)
        context: dict[str, tuple[str, ...]] = {"sts:rolesessionname": (session_name,)}
        if external_id is not None:
            context["sts:externalid"] = (external_id,)
        for key, value in (tags or {}).items():
            context[f"aws:requesttag/{key.lower()}"] = (value,)
        if tags:
            context["aws:tagkeys"] = tuple(tags)
        actions = [ASSUME_ROLE, *(["sts:TagSession"] if tags else [])]
        for action in actions:
            sentence = f"User: {caller.principal.arn} is not authorized to perform: {action} on resource: {role_arn}"
            if role is None:
                raise AccessDenied("sts", sentence, {"missing": {"role": role_arn}})
            self._must(caller, action, role, context, sentence)
        assert role is not None
        seconds = _seconds(role, duration_seconds, chained=caller.principal.kind == "assumed-role")
        self._check_session_policies(policy, policy_arns)
        session = self.issue(role, session_name, seconds, policy=policy, policy_arns=policy_arns, tags=tags)
        if caller.session is not None:
            session.placement = caller.session.placement  # another role's credentials are no way out of a network
        return session

    def assume_role_with_web_identity(
        self,
        identity: WebIdentity,
        role_arn: str,
        session_name: str,
        duration_seconds: int | None = None,
        *,
        policy: str | None = None,
        policy_arns: Sequence[str] = (),
    ) -> Session:
        """AssumeRoleWithWebIdentity for verified claims: the trust policy alone decides. AccessDenied and the rest."""
        role = self._directory.role_by_arn(role_arn)
        action = "sts:AssumeRoleWithWebIdentity"
        context = {key.lower(): values for key, values in identity.context().items()}
        context["sts:rolesessionname"] = (session_name,)
        requester = Requester(federated=identity.provider.arn)
        if (
            role is None
            or not evaluate(
                Question(requester, action.lower(), role.arn, context.get, resource_policy=trust_of(role))
            ).allowed
        ):
            facts = {"principal": identity.provider.arn, "action": action, "resource": role_arn, "policies": ["trust"]}
            raise AccessDenied("sts", f"Not authorized to perform {action}", facts)
        self._check_session_policies(policy, policy_arns)
        seconds = _seconds(role, duration_seconds, chained=False)
        return self.issue(role, session_name, seconds, policy=policy, policy_arns=policy_arns)

    def _must(
        self, caller: Caller, action: str, role: Identity, context: Mapping[str, Sequence[str]], sentence: str
    ) -> None:
        """AccessDenied with `sentence` unless trust policy and the caller's own policies let it take `role`."""
        lookup = lookup_of(caller, context, self._directory.clock.now(), role.arn, self._tags)
        trust = trust_of(role)
        question = caller.authority.question(caller.requester(), action, role.arn, lookup, trust)
        decision = caller.authority.decide(action, question)
        if not decision.allowed:
            looked_at = (*caller.authority.all_policies(), trust)
            raise AccessDenied(
                "sts", sentence, refusal_facts(caller.principal.arn, action, question, decision, looked_at)
            )

    def _tags(self, principal: Principal) -> Mapping[str, str]:
        arn = principal.role_arn
        held = self._directory.role_by_arn(arn) if arn is not None else self._directory.find("user", principal.name)
        return held.tags if held is not None else {}

    def _check_session_policies(self, policy: str | None, policy_arns: Sequence[str]) -> None:
        if policy is not None:
            if len(policy) > limits.SESSION_POLICY_MAX_CHARACTERS:
                raise ValidationError(
                    "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have "
                    f"length less than or equal to {limits.SESSION_POLICY_MAX_CHARACTERS}"
                )
            parse_policy(policy, "session", "session policy")
        if len(policy_arns) > limits.SESSION_POLICY_ARNS_MAX:
            raise ValidationError(
                "1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have "
                f"length less than or equal to {limits.SESSION_POLICY_ARNS_MAX}"
            )
        for arn in policy_arns:
            self._directory.policy(arn)

    def issue(
        self,
        role: Identity,
        session_name: str,
        duration_seconds: int,
        *,
        policy: str | None = None,
        policy_arns: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
        source_arn: str | None = None,
    ) -> Session:
        """Credentials of `role`, permission already given. ValidationError on a bad name or duration."""
        if not _SESSION_NAME.fullmatch(session_name):
            raise ValidationError(
                f"1 validation error detected: Value '{session_name[:100]}' at 'roleSessionName' failed to satisfy "
                "constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"
            )
        if duration_seconds < limits.SESSION_SECONDS_MIN:
            raise ValidationError(
                f"1 validation error detected: Value '{duration_seconds}' at 'durationSeconds' failed to satisfy "
                f"constraint: Member must have value greater than or equal to {limits.SESSION_SECONDS_MIN}"
            )
        place = self._directory.place
        principal = Principal(
            place.arn("sts", f"assumed-role/{role.name}/{session_name}", regional=False),
            place.account_id,
            "assumed-role",
            role_arn=role.arn,
            user_id=f"{role.unique_id}:{session_name}",
            name=role.name,
        )
        role.last_used_at = self._directory.clock.now()
        return self._credentials.issue(
            principal,
            duration_seconds,
            policy_documents=(policy,) if policy is not None else (),
            policy_arns=tuple(policy_arns),
            tags=tuple((tags or {}).items()),
            source_arn=source_arn,
        )

    def session_token(self, caller: Caller, duration_seconds: int | None) -> Session:
        """GetSessionToken for a user or root. AccessDenied for temporary credentials, ValidationError."""
        if caller.session is not None:
            raise AccessDenied("sts", "Cannot call GetSessionToken with session credentials")
        seconds = limits.SESSION_TOKEN_SECONDS_DEFAULT if duration_seconds is None else duration_seconds
        if not limits.SESSION_SECONDS_MIN <= seconds <= limits.SESSION_TOKEN_SECONDS_MAX:
            bound = "greater than or equal to 900" if seconds < 900 else "less than or equal to 129600"
            raise ValidationError(
                f"1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: "
                f"Member must have value {bound}"
            )
        if caller.principal.kind == "root":
            seconds = min(seconds, limits.SESSION_TOKEN_SECONDS_ROOT_MAX)
        return self._credentials.issue(caller.principal, seconds)


def _check_arn(text: str) -> None:
    """ValidationError when a role's name is no ARN at all."""
    try:
        arn = Arn.parse(text)
    except ValueError:
        arn = None
    if arn is None or not arn.partition or not arn.resource:
        raise ValidationError(f"{text} is invalid")


def _seconds(role: Identity, asked: int | None, *, chained: bool) -> int:
    """How long a session of `role` lasts. ValidationError when more is asked than may be given."""
    longest = limits.SESSION_SECONDS_CHAINED_MAX if chained else role.max_session_seconds
    seconds = limits.SESSION_SECONDS_DEFAULT if asked is None else asked
    if seconds > longest:
        raise ValidationError(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
            if chained
            else "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    return seconds


def trust_of(role: Identity) -> CompiledPolicy:
    """A role's trust policy, compiled."""
    return compiled(role.trust, "trust", f"trust policy of {role.name}")
