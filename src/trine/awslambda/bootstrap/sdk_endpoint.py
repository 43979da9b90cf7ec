"""The result of a service's endpoint rules, kept for each client and operation where the endpoint is given.

The rules are a pure function of what they are given: the client's settings and those of the call's arguments that the
service's model names. Both are the key. Everything else (no given endpoint, hooks on the resolution, settings of one
service only, odd arguments) goes to the original.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

_KEPT_MAX = 200


class _Known(NamedTuple):
    # What the rules of one operation look at, and what they came to.
    event: str
    builtins: tuple[Any, ...]
    members: tuple[str, ...]
    are_keys: bool
    """Whether the result hangs on `members`; DynamoDB's with a given endpoint does not, the rules only check types."""
    results: dict[Any, tuple[Any, frozenset[str], Any]]


def install_rules() -> Callable[[], None]:
    """Read a service's rules once for all its clients, DynamoDB's now; the answer undoes this."""
    import botocore.endpoint_provider as endpoint_provider
    import botocore.loaders

    provider: Any = endpoint_provider.EndpointProvider
    module: Any = endpoint_provider
    stock = provider.__init__
    rule_set = module.RuleSet
    kept: dict[tuple[int, int], tuple[Any, Any, Any]] = {}
    """By the two documents that a set is made of, which the shared loader gives out again and again."""

    def rules_of(data: Any, partitions: Any) -> Any:
        found = kept.get((id(data), id(partitions)))
        if found is not None:
            return found[2]
        made = rule_set(**data, partitions=partitions)
        if len(kept) < _KEPT_MAX:
            kept[id(data), id(partitions)] = (data, partitions, made)
        return made

    def __init__(self: Any, ruleset_data: Any, partition_data: Any, excluded_params: Any = None) -> None:
        if module.RuleSet is not rule_set:
            stock(self, ruleset_data, partition_data, excluded_params)
            return
        self.ruleset = rules_of(ruleset_data, partition_data)
        self._excluded_params = excluded_params or frozenset()

    provider.__init__ = __init__
    loader: Any = botocore.loaders.create_loader()
    rules = loader.load_service_model("dynamodb", "endpoint-rule-set-1", api_version=None)  # in a client's very words
    rules_of(rules, loader.load_data("partitions"))

    def remove() -> None:
        provider.__init__ = stock

    return remove


def install_urls() -> Callable[[], None]:
    """Keep what endpoints and paths are joined to; the answer undoes this."""
    import botocore.awsrequest as awsrequest

    module: Any = awsrequest
    stock = module._urljoin
    module._urljoin = functools.lru_cache(maxsize=_KEPT_MAX)(stock)

    def remove() -> None:
        module._urljoin = stock

    return remove


def install() -> Callable[[], None]:
    """Keep what the rules came to; the answer undoes this."""
    import botocore.context as context
    import botocore.regions as regions

    resolver: Any = regions.EndpointRulesetResolver
    stock = resolver.construct_endpoint
    given: Any = regions.EndpointResolverBuiltins.SDK_ENDPOINT
    current: Any = context._context

    def known_of(self: Any, operation: Any) -> _Known | None:
        if self._get_client_context_params() or operation.operation_context_parameters:
            return None
        service = self._service_model
        return _Known(
            f"before-endpoint-resolution.{service.service_id.hyphenize()}",
            tuple(param.builtin for param in self._param_definitions.values() if param.builtin is not None),
            tuple(self._get_dynamic_context_params(operation).values()),
            service.service_name != "dynamodb",
            {},
        )

    def construct_endpoint(self: Any, operation_model: Any, call_args: Any, request_context: Any) -> Any:
        operations = self.__dict__.setdefault("_trine_endpoints", {})
        name = operation_model.name
        known = operations[name] if name in operations else operations.setdefault(name, known_of(self, operation_model))
        builtins = self._builtins
        features = current.get(None)
        emitter = getattr(self._event_emitter, "_emitter", self._event_emitter)
        hooks = getattr(emitter, "_lookup_cache", None)
        if (
            known is None
            or builtins.get(given) is None
            or features is None
            or hooks is None
            or type(call_args) is not dict
        ):
            return stock(self, operation_model, call_args, request_context)
        key: list[Any] = []
        for builtin in known.builtins:
            value = builtins.get(builtin)
            key.append(value() if callable(value) else value)
        for member in known.members:
            # The rules check types before the validation of parameters does: only texts may take the short way.
            value = call_args.get(member, "")
            if type(value) is not str:
                return stock(self, operation_model, call_args, request_context)
            if known.are_keys:
                key.append(value if member in call_args else None)
        whole = tuple(key)
        found = known.results.get(whole)
        if found is not None and found[2] is hooks:
            features.features.update(found[1])
            return found[0]._replace(headers=dict(found[0].headers))
        before = set(features.features)
        result = stock(self, operation_model, call_args, request_context)
        hooks = getattr(emitter, "_lookup_cache", None)  # emptied whenever a hook is added or taken away
        if hooks is not None and not hooks.get(known.event):
            if len(known.results) >= _KEPT_MAX:
                known.results.clear()
            known.results[whole] = (result, frozenset(features.features - before), hooks)
        return result

    resolver.construct_endpoint = construct_endpoint

    def remove() -> None:
        resolver.construct_endpoint = stock

    return remove
