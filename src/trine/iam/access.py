"""Who are you, may you: the one object through which the other wings ask. The corridor of this wing.

Enters a request, leaves a `Caller` or an authentication error; enters a caller with action and resource, leaves
nothing or `AccessDenied`. It also hands out credentials. In mode `soft` what would be refused is reported on the trace
and in the log, and passes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from trine.aws.arn import Place
from trine.aws.catalogue import Catalogue
from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.aws.regions import region_meant
from trine.clock import Clock
from trine.http.message import Request
from trine.iam import limits
from trine.iam.authority import Authority
from trine.iam.caller import Caller, lookup_of
from trine.iam.claims import stated_scope
from trine.iam.credentials import Credential, CredentialStore
from trine.iam.directory import Directory, Identity
from trine.iam.errors import AccessDenied
from trine.iam.evaluator import PolicySet, Question, evaluate
from trine.iam.federation import Federation
from trine.iam.holdings import ADMINISTRATOR, policies_of
from trine.iam.keys import KeyRing
from trine.iam.ledger import KEPT_KEYS, Ledger
from trine.iam.placement import Site
from trine.iam.policy import CompiledPolicy
from trine.iam.principal import AccessKey, Principal, Session
from trine.iam.principals import Requester
from trine.iam.provision import put_role
from trine.iam.refusal import refusal_facts, refusal_sentence
from trine.iam.signature import SigningKey, Verifier
from trine.iam.sts import TokenService
from trine.trace import Trace

Mode = Literal["enforce", "soft"]
_log = logging.getLogger("trine.iam")


class Access:
    """Authentication, authorization and credentials of one account."""

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        catalogue: Catalogue | None = None,
        mode: Mode = "enforce",
        place: Place | None = None,
    ) -> None:
        self.clock = clock
        self.mode: Mode = mode
        self.place = place or Place()
        self.ledger = Ledger()
        """Which rights were used; read by `rights`."""
        for arn, document in catalogue.list("iam:uses") if catalogue is not None else ():
            self.ledger.restore(arn, document)
        self.sites: dict[str, Site] = {}
        """Function ARN → where its environments stand, for functions in a VPC."""
        self._observed: frozenset[str] = frozenset()
        self._authorities: dict[str, Authority] = {}
        self.credentials = CredentialStore(clock, ids)
        self._verifier = Verifier(clock, self.credentials.find, self.place)
        self._verified: tuple[Request, str, SigningKey] | None = None
        """The request that `session_of` has just verified."""
        self.directory = Directory(clock, ids, self.place, catalogue, self.forget)
        self.keys = KeyRing(self.directory, self.credentials, catalogue, self.forget)
        self.federation = Federation(self.directory, catalogue)
        self.tokens = TokenService(self.directory, self.credentials)

    # -- who are you ---------------------------------------------------------------------------------------------

    def authenticate(self, request: Request, service: str, trace: Trace | None = None) -> Caller:
        """The caller of `request`, from its SigV4 header or presigned query.

        Raises AwsError with the service's own codes: MissingAuthenticationToken…, IncompleteSignature…,
        InvalidSignature…, UnrecognizedClient…, ExpiredToken….
        """
        caller = self.recognise(request, service, trace)
        if trace is not None and caller.detail is not None:
            trace.step("iam.signature", caller.detail)
        return caller.of(request)

    def recognise(self, request: Request, service: str, trace: Trace | None = None) -> Caller:
        """As `authenticate`, for a corridor that marks this room itself (with the caller's `detail`), and says
        `caller.of(request)` only where a decision may read the request: the caller is the same one for every request
        that a key has signed.
        """
        verified = self._verified
        if verified is not None:
            self._verified = None
        if verified is not None and verified[0] is request and verified[1] == service:
            key = verified[2]
        else:
            try:
                key = self._verifier.verify(request, service)
            except AwsError as error:
                return self._not_authenticated(error, request, service, trace)
        known: Caller | None = key.known
        if known is None:
            credential = key.credential
            authority, detail, key_id = self._authority(credential), _detail(credential), credential.access_key_id
            known = Caller(credential.principal, credential.session, key.region, authority, None, key_id, detail)
            key.known = known
        return known

    def session_of(self, request: Request, service: str) -> Session | None:
        """The session whose credentials signed `request`; None for long-term keys and what does not verify.

        For who stands before a service: the service's own `authenticate` of this request, if it is the next one, need
        not verify again.
        """
        try:
            key = self._verifier.verify(request, service)
        except AwsError:
            return None
        self._verified = (request, service, key)
        return key.credential.session

    def caller_with_secret(self, access_key_id: str, is_secret: Callable[[str], bool]) -> Caller | None:
        """The caller that an active long-term key stands for, when `is_secret` says that its secret was given too.

        For what cannot sign. None when the key is unknown, temporary or inactive, or the secret another.
        """
        credential = self.credentials.find(access_key_id)
        if credential is None or credential.access_key is None or not is_secret(credential.secret):
            return None
        authority = self._authority(credential)
        return Caller(credential.principal, None, self.place.region, authority, None, access_key_id)

    def caller_of(self, session: Session) -> Caller:
        """The caller that `session` makes, for calls inside the house that carry no signature."""
        return Caller(
            session.principal,
            session,
            self.place.region,
            self._authority(Credential(session)),
            None,
            session.access_key_id,
        )

    def _not_authenticated(self, error: AwsError, request: Request, service: str, trace: Trace | None) -> Caller:
        if self.mode == "enforce":
            if trace is not None:
                trace.refuse("iam.signature", error.message, code=error.code)
            raise error
        _log.warning("soft mode lets pass an unauthenticated request to %s: %s", service, error.code)
        if trace is not None:
            trace.step("iam.signature", {"soft": True, "wouldRefuse": error.message, "code": error.code})
        root, scope = self.root(), stated_scope(request)
        region = (region_meant(service, scope[2], self.place) if scope is not None else None) or self.place.region
        return Caller(root, None, region, Authority(PolicySet((ADMINISTRATOR,)), root.account_id), request)

    def _authority(self, credential: Credential) -> Authority:
        """The compiled policies behind a credential; sessions of a role share them unless they carry their own."""
        session, principal = credential.session, credential.principal
        own = session is not None and bool(session.policy_documents or session.policy_arns)
        shared = credential.access_key_id if own else principal.identity_arn
        authority = self._authorities.get(shared)
        if authority is None:
            policies = policies_of(self.directory, principal, session)
            authority = Authority(policies, principal.account_id, self._observed)
            self._remember(shared, authority)
        self._remember(credential.access_key_id, authority)
        return authority

    def _remember(self, name: str, authority: Authority) -> None:
        if len(self._authorities) >= limits.AUTHORITIES_MAX:
            self._authorities.pop(next(iter(self._authorities)))
        self._authorities[name] = authority

    def observe(self, on: bool = True) -> None:
        """Have services also give the keys that `advice` can turn into conditions; costs each call its evaluation."""
        self._observed = KEPT_KEYS if on else frozenset()
        self.forget()

    def forget(self) -> None:
        """Policies or keys changed: compile and verify anew from here on."""
        self._authorities.clear()
        self._verifier.forget()

    # -- may you -------------------------------------------------------------------------------------------------

    def authorize(
        self,
        caller: Caller,
        action: str,
        resource_arn: str,
        context: Mapping[str, Sequence[str]] | None = None,
        resource_policy: CompiledPolicy | None = None,
        trace: Trace | None = None,
        endpoint_policy: CompiledPolicy | None = None,
        dialect: str | None = None,
    ) -> None:
        """Nothing when `caller` may do `action` (`dynamodb:GetItem`) on `resource_arn`, else AccessDenied.

        `context` holds the condition keys that the service knows (`dynamodb:LeadingKeys`); `caller.needs(…)` says
        which ones a decision would read. The refusal's facts go to `trace`. `dialect` is the service that answers,
        where it is not the action's own (`iam:PassRole` asked by `lambda`).
        """
        authority = caller.authority
        if caller.session is not None and caller.session.placement is not None:
            way = caller.session.placement.way(action.partition(":")[0])
            context = {**(context or {}), **way.context}
            endpoint_policy = endpoint_policy or way.policy
        if resource_policy is None and endpoint_policy is None:
            settled = authority.settled.get((action, resource_arn, None))
            if settled is not None:
                if trace is not None:
                    trace.step("iam.policy", settled)
                return
        lookup = lookup_of(caller, context, self.clock.now(), resource_arn, self._tags)
        question = authority.question(
            caller.requester(), action, resource_arn, lookup, resource_policy, endpoint_policy
        )
        decision = authority.decide(action, question)
        self.ledger.note(caller.principal, action, resource_arn, decision.allowed, context)
        if decision.allowed:
            if trace is not None:
                facts = decision.statement.facts() if decision.statement is not None else {}
                trace.step(
                    "iam.policy",
                    {"action": action, "resource": resource_arn, "allowedBy": {"layer": decision.layer, **facts}},
                )
            return
        sentence = refusal_sentence(caller.principal.arn, action, resource_arn, decision)
        given = [policy for policy in (resource_policy, endpoint_policy) if policy is not None]
        facts = refusal_facts(caller.principal.arn, action, question, decision, (*authority.all_policies(), *given))
        self._refuse(dialect or action.partition(":")[0], sentence, facts, trace)

    def authorize_service(
        self,
        service: str,
        action: str,
        resource_arn: str,
        resource_policy: CompiledPolicy | None,
        context: Mapping[str, Sequence[str]] | None = None,
        trace: Trace | None = None,
    ) -> None:
        """As `authorize`, for a service principal (`apigateway.amazonaws.com`): only the resource policy speaks.

        `context` should hold `aws:SourceArn` and `aws:SourceAccount`, by which policies keep out confused deputies.
        """
        lowered = {key.lower(): values for key, values in (context or {}).items()}
        question = Question(
            Requester(service=service), action.lower(), resource_arn, lowered.get, resource_policy=resource_policy
        )
        decision = evaluate(question)
        if decision.allowed:
            if trace is not None:
                facts = decision.statement.facts() if decision.statement is not None else {}
                trace.step("iam.policy", {"action": action, "resource": resource_arn, "principal": service, **facts})
            return
        sentence = refusal_sentence(service, action, resource_arn, decision, service=True)
        looked_at = (resource_policy,) if resource_policy is not None else ()
        facts = refusal_facts(service, action, question, decision, looked_at)
        facts["context"] = {key: list(values) for key, values in lowered.items()}
        self._refuse(action.partition(":")[0], sentence, facts, trace)

    def _refuse(self, service: str, sentence: str, facts: Mapping[str, Any], trace: Trace | None) -> None:
        if self.mode == "soft":
            _log.warning("soft mode lets pass: %s", sentence)
            if trace is not None:
                trace.step("iam.policy", {"soft": True, "wouldRefuse": sentence, **facts})
            return
        if trace is not None:
            trace.refuse("iam.policy", sentence, **facts)
        raise AccessDenied(service, sentence, facts)

    def _tags(self, principal: Principal) -> Mapping[str, str]:
        identity = self.identity_of(principal)
        return identity.tags if identity is not None else {}

    def identity_of(self, principal: Principal) -> Identity | None:
        """The role or user behind a principal, or None for root."""
        if principal.role_arn is not None:
            return self.directory.role_by_arn(principal.role_arn)
        return self.directory.find("user", principal.name) if principal.kind == "user" else None

    # -- credentials ---------------------------------------------------------------------------------------------

    def root(self) -> Principal:
        """The account itself."""
        account = self.place.account_id
        return Principal(self.place.arn("iam", "root", regional=False), account, "root", user_id=account, name="root")

    def owner_credentials(self) -> AccessKey:
        """The access key of the person whose machine this is: user `owner`, made once and kept in the catalogue."""
        return self.keys.owner()

    def assume_role_for_service(
        self,
        role_arn: str,
        session_name: str,
        service: str,
        duration_seconds: int = limits.SESSION_SECONDS_DEFAULT,
        source_arn: str | None = None,
    ) -> Session:
        """Temporary credentials of `role_arn` for a service such as `lambda.amazonaws.com`, by its trust policy.

        `source_arn` is the function it is for: `aws:SourceArn` there and `lambda:SourceFunctionArn` of later calls.
        """
        session = self.tokens.assume_role_for_service(role_arn, session_name, service, duration_seconds, source_arn)
        site = self.sites.get(":".join(source_arn.split(":")[:7])) if source_arn is not None else None
        if site is not None:
            session.placement = site.place()
        return session

    def revoke(self, session: Session) -> None:
        """End `session` now."""
        self.credentials.revoke(session)
        self._authorities.pop(session.access_key_id, None)

    def put_role(self, properties: Mapping[str, Any], name: str | None = None) -> str:
        """Make or change a role from the properties of an `AWS::IAM::Role`; its ARN. `name` serves without RoleName.

        MalformedPolicy, NoSuchEntity or ValidationError, with nothing changed, when the properties are wrong.
        """
        return put_role(self.directory, properties, name)

    def delete_role(self, name: str) -> None:
        """Forget a role; its sessions die with it. NoSuchEntity when there is none."""
        role = self.directory.get("role", name)
        for session in self.credentials.sessions():
            if session.principal.role_arn == role.arn:
                self.revoke(session)
        self.directory.remove(role)

    def keep_ledger(self) -> None:
        """Write down which rights were used so far, for after a restart."""
        for arn in self.ledger.changed():
            document = self.ledger.document(arn)
            self.directory.remember("uses", arn, document if document["uses"] else None)

    @property
    def pending(self) -> bool:
        """Are there changes that are not yet durable?"""
        return self.directory.pending

    async def settled(self) -> None:
        """Wait until all changes of IAM's state so far are durable."""
        await self.directory.settled()


def _detail(credential: Credential) -> Mapping[str, Any]:
    """Whom a credential stands for, in the words of a trace."""
    return {
        "principal": credential.principal.arn,
        "accessKeyId": credential.access_key_id,
        "credentials": "temporary" if credential.session is not None else "long-term",
    }
