"""The result of DynamoDB's endpoint rules, kept for each client and operation where the endpoint is given.

With a given endpoint the rules look at nothing but the client's own settings, which are part of the key. Everything
else (another service, no given endpoint, hooks on the resolution, odd arguments) goes to the original.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_KEPT_MAX = 200


def install() -> Callable[[], None]:
    """Keep what the rules came to; the answer undoes this."""
    import botocore.context as context
    import botocore.regions as regions

    resolver: Any = regions.EndpointRulesetResolver
    stock = resolver.construct_endpoint
    given: Any = regions.EndpointResolverBuiltins.SDK_ENDPOINT

    def construct_endpoint(self: Any, operation_model: Any, call_args: Any, request_context: Any) -> Any:
        builtins = self._builtins
        features = context._context.get(None)
        emitter = getattr(self._event_emitter, "_emitter", self._event_emitter)
        hooks = getattr(emitter, "_lookup_cache", None)
        if (
            builtins.get(given) is None
            or self._service_model.service_name != "dynamodb"
            or operation_model.operation_context_parameters
            or features is None
            or hooks is None
        ):
            return stock(self, operation_model, call_args, request_context)
        for member in self._get_dynamic_context_params(operation_model).values():
            # The rules check types before the validation of parameters does: only texts may take the short way.
            if call_args and type(call_args.get(member, "")) is not str:
                return stock(self, operation_model, call_args, request_context)
        values = tuple([value() if callable(value) else value for value in builtins.values()])
        key = (operation_model.name, values)
        kept = self.__dict__.setdefault("_trine_endpoints", {})
        found = kept.get(key)
        if found is not None and found[2] is hooks:
            features.features.update(found[1])
            return found[0]._replace(headers=dict(found[0].headers))
        before = set(features.features)
        result = stock(self, operation_model, call_args, request_context)
        hooks = getattr(emitter, "_lookup_cache", None)  # emptied whenever a hook is added or taken away
        if hooks is not None and not hooks.get("before-endpoint-resolution.dynamodb"):
            if len(kept) >= _KEPT_MAX:
                kept.clear()
            kept[key] = (result, frozenset(features.features - before), hooks)
        return result

    resolver.construct_endpoint = construct_endpoint

    def remove() -> None:
        resolver.construct_endpoint = stock

    return remove
