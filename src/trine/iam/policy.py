"""Policy documents: parsed, validated and compiled once.

Enters JSON (text or values) and the kind of policy it is to be; leaves a `CompiledPolicy` whose statements say quickly
whether they cover an action, a resource and a principal. A document IAM would refuse raises `MalformedPolicy` with the
place, such as `Statement[2].Condition.StringLike`. Grammar: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from trine.iam import limits
from trine.iam.conditions import Condition, compile_condition
from trine.iam.errors import MalformedPolicy
from trine.iam.matching import Lookup, Predicate, Token, arn_glob, bind, glob, tokenize, variables_of
from trine.iam.principals import PrincipalPattern, compile_principals

PolicyKind = Literal["identity", "resource", "trust", "boundary", "session", "endpoint"]

_VERSIONS = ("2008-10-17", "2012-10-17")
_STATEMENT_KEYS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_SID = re.compile(r"[A-Za-z0-9]*")
_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9*?_-]+")
_IDENTITY_KINDS = frozenset({"identity", "boundary", "session"})


class ResourcePattern(Struct, frozen=True, eq=False):
    """One Resource entry: a ready predicate, or tokens that wait for the request's variables."""

    text: str
    predicate: Predicate | None
    tokens: tuple[Token, ...]

    def matches(self, resource: str, lookup: Lookup) -> bool:
        """Does `resource` fall under this entry? A variable without value matches nothing."""
        if self.predicate is not None:
            return self.predicate(resource)
        bound = bind(self.tokens, lookup)
        return bound is not None and arn_glob(bound)(resource)


class Statement(Struct, frozen=True, eq=False):
    """One compiled statement with its place, for explanations."""

    policy: str
    index: int
    sid: str | None
    allows: bool
    actions: tuple[Predicate, ...]
    not_action: bool
    resources: tuple[ResourcePattern, ...]
    not_resource: bool
    principals: PrincipalPattern | None
    conditions: tuple[Condition, ...]
    keys: frozenset[str]
    """Context keys (lower case) that conditions and variables read; empty: decided by action and resource alone."""

    def covers_action(self, action: str) -> bool:
        """Action names are not case-sensitive; `action` comes in lower case."""
        if not self.actions:
            return True  # settled beforehand, see `about`
        return any(predicate(action) for predicate in self.actions) != self.not_action

    def covers_resource(self, resource: str, lookup: Lookup) -> bool:
        """Resource ARNs are case-sensitive."""
        if not self.resources:
            return True  # a trust policy, whose resource is the role itself; or settled beforehand, see `about`
        return any(pattern.matches(resource, lookup) for pattern in self.resources) != self.not_resource

    def may_cover_resource(self, resource: str) -> bool:
        """As `covers_resource` before variables are known: true where it depends on one."""
        if any(pattern.predicate is None for pattern in self.resources):
            return True
        return self.covers_resource(resource, lambda key: None)

    def about(self, action: str, resource: str) -> Statement | None:
        """This statement for one action (lower case) and resource: None if it cannot speak of them.

        Else without what they settle; what depends on variables stays open.
        """
        if not self.covers_action(action) or not self.may_cover_resource(resource):
            return None
        if any(pattern.predicate is None for pattern in self.resources):
            return replace(self, actions=(), not_action=False)
        return replace(self, actions=(), not_action=False, resources=(), not_resource=False)

    def holds(self, lookup: Lookup) -> bool:
        """Are all conditions met?"""
        return all(condition.holds(lookup) for condition in self.conditions)

    def facts(self) -> dict[str, Any]:
        """Where this statement stands, for the trace."""
        return {"policy": self.policy, "statement": self.index, "sid": self.sid}


class CompiledPolicy(Struct, frozen=True, eq=False):
    """A policy ready to be asked. `name` is what explanations call it."""

    kind: PolicyKind
    name: str
    statements: tuple[Statement, ...]

    def about(self, action: str, resource: str) -> CompiledPolicy:
        """The policy without the statements that can never speak of `action` (lower case) on `resource`."""
        narrowed = (one.about(action, resource) for one in self.statements)
        return CompiledPolicy(self.kind, self.name, tuple(one for one in narrowed if one is not None))


def parse_policy(document: str | bytes | Mapping[str, Any], kind: PolicyKind, name: str = "policy") -> CompiledPolicy:
    """Compile a policy document. Raises `MalformedPolicy` with the place of the first fault."""
    parsed = _load(document) if isinstance(document, str | bytes) else document
    if not isinstance(parsed, Mapping):
        raise MalformedPolicy("Syntax errors in policy.")
    for key in parsed:
        if key not in {"Version", "Id", "Statement"}:
            raise MalformedPolicy("Syntax errors in policy.", str(key))
    version = parsed.get("Version", _VERSIONS[0])
    if str(version) not in _VERSIONS:
        raise MalformedPolicy("Syntax errors in policy.", "Version")
    raw = parsed.get("Statement")
    if isinstance(raw, Mapping):
        raw = [raw]
    if not isinstance(raw, Sequence) or isinstance(raw, str) or not raw:
        raise MalformedPolicy("Syntax errors in policy.", "Statement")
    variables = str(version) == _VERSIONS[1]
    statements = tuple(_statement(entry, kind, name, index, variables) for index, entry in enumerate(raw))
    sids = [statement.sid for statement in statements if statement.sid]
    if len(sids) != len(set(sids)):
        raise MalformedPolicy("Statement IDs (SID) in a single policy must be unique.", "Statement")
    return CompiledPolicy(kind, name, statements)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedPolicy("Syntax errors in policy: a key stands twice.", twice)
    return document


def _load(text: str | bytes) -> Any:
    if len(text) > limits.POLICY_DOCUMENT_MAX_BYTES:
        raise MalformedPolicy("The policy document is too long.")
    depth = 0
    for character in text if isinstance(text, str) else text.decode("utf-8", "replace"):
        # Counts brackets inside strings too; no valid policy has a dozen unclosed ones anywhere.
        depth += (character in "[{") - (character in "]}")
        if depth > limits.POLICY_DEPTH_MAX:
            raise MalformedPolicy("Syntax errors in policy: nested too deeply.")
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise MalformedPolicy("Syntax errors in policy.", f"line {error.lineno}, column {error.colno}") from None
    except (UnicodeDecodeError, ValueError):
        raise MalformedPolicy("Syntax errors in policy.") from None


def _statement(entry: Any, kind: PolicyKind, policy: str, index: int, variables: bool) -> Statement:
    place = f"Statement[{index}]"
    if not isinstance(entry, Mapping):
        raise MalformedPolicy("Syntax errors in policy.", place)
    for key in entry:
        if key not in _STATEMENT_KEYS:
            raise MalformedPolicy("Syntax errors in policy.", f"{place}.{key}")
    sid = entry.get("Sid")
    if sid is not None and (not isinstance(sid, str) or (kind in _IDENTITY_KINDS and not _SID.fullmatch(sid))):
        raise MalformedPolicy(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
            "[0-9A-Za-z]*", f"{place}.Sid"
        )  # fmt: skip
    effect = entry.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise MalformedPolicy("Syntax errors in policy.", f"{place}.Effect")
    actions, not_action = _either(entry, "Action", place)
    if actions is None:
        raise MalformedPolicy("Policy statement must contain actions.", place)
    for action in actions:
        if action != "*" and not _ACTION.fullmatch(action):
            raise MalformedPolicy(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.", f"{place}.Action"
            )
    patterns, not_resource = _resources(entry, kind, place, variables)
    conditions = _conditions(entry.get("Condition"), place, variables)
    return Statement(
        policy=policy,
        index=index,
        sid=sid,
        allows=effect == "Allow",
        actions=tuple(glob(tokenize(action.lower(), variables=False)) for action in actions),
        not_action=not_action,
        resources=patterns,
        not_resource=not_resource,
        principals=_principals(entry, kind, effect, place),
        conditions=conditions,
        keys=frozenset().union(*(c.keys for c in conditions), *(variables_of(p.tokens) for p in patterns)),
    )


def _either(entry: Mapping[str, Any], name: str, place: str) -> tuple[list[str] | None, bool]:
    """The values of `name` or `Notname`, and which of the two it was."""
    if name in entry and f"Not{name}" in entry:
        raise MalformedPolicy(f"Statement must not contain both {name} and Not{name}.", place)
    negated = f"Not{name}" in entry
    raw = entry.get(f"Not{name}" if negated else name)
    if raw is None:
        return None, negated
    values = [raw] if isinstance(raw, str) else raw
    if not isinstance(values, list | tuple) or not values or not all(isinstance(value, str) for value in values):
        raise MalformedPolicy("Syntax errors in policy.", f"{place}.{'Not' if negated else ''}{name}")
    return list(values), negated


def _resources(
    entry: Mapping[str, Any], kind: PolicyKind, place: str, variables: bool
) -> tuple[tuple[ResourcePattern, ...], bool]:
    values, negated = _either(entry, "Resource", place)
    if kind == "trust":
        if values is not None:
            raise MalformedPolicy("Has prohibited field Resource", place)
        return (), False
    if values is None:
        raise MalformedPolicy("Policy statement must contain resources.", place)
    patterns = []
    for value in values:
        tokens = tokenize(value, variables=variables)
        if not value.startswith(("arn:", "*", "${")) or not value:
            raise MalformedPolicy(f'Resource {value} must be in ARN format or "*".', f"{place}.Resource")
        patterns.append(ResourcePattern(value, None if variables_of(tokens) else arn_glob(tokens), tokens))
    return tuple(patterns), negated


def _principals(entry: Mapping[str, Any], kind: PolicyKind, effect: str, place: str) -> PrincipalPattern | None:
    if kind in _IDENTITY_KINDS:
        for key in ("Principal", "NotPrincipal"):
            if key in entry:
                raise MalformedPolicy("Policy document should not specify a principal.", f"{place}.{key}")
        return None
    if "Principal" in entry and "NotPrincipal" in entry:
        raise MalformedPolicy("Statement must not contain both Principal and NotPrincipal.", place)
    if "NotPrincipal" in entry:
        if effect == "Allow" and kind == "trust":
            raise MalformedPolicy("Allow with NotPrincipal is not allowed.", f"{place}.NotPrincipal")
        return compile_principals(entry["NotPrincipal"], negated=True, place=f"{place}.NotPrincipal")
    if "Principal" not in entry:
        raise MalformedPolicy("Missing required field Principal", place)
    return compile_principals(entry["Principal"], negated=False, place=f"{place}.Principal")


def _conditions(raw: Any, place: str, variables: bool) -> tuple[Condition, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, Mapping):
        raise MalformedPolicy("Syntax errors in policy.", f"{place}.Condition")
    compiled = []
    for operator, keys in raw.items():
        if not isinstance(keys, Mapping):
            raise MalformedPolicy("Syntax errors in policy.", f"{place}.Condition.{operator}")
        for key, values in keys.items():
            spot = f"{place}.Condition.{operator}.{key}"
            compiled.append(compile_condition(str(operator), str(key), values, spot, variables=variables))
    return tuple(compiled)
