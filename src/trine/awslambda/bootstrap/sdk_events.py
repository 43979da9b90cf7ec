"""The SDK's events in one step each, and its retry handler's answer to a plain success.

A call emits eleven events, most of which nobody listens to; the way from a client's emitter to a handler leads through
four functions. Handlers, their order, their arguments and what becomes of their answers are the original's; whoever
replaced one of the functions between gets the original way.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable
from typing import Any

from .sdk_watch import watch


def install_events() -> Callable[[], None]:
    """Go from a client's emitter to the handlers directly; the answer undoes this."""
    import botocore.hooks as hooks

    aliaser: Any = hooks.EventAliaser
    emitter_class: Any = hooks.HierarchicalEmitter
    stock = (aliaser.emit, aliaser.emit_until_response)
    up, until, down = emitter_class.emit, emitter_class.emit_until_response, emitter_class._emit
    alias = aliaser._alias_event_name
    loud: Any = hooks.logger

    def found(self: Any, event_name: str) -> Any:
        # The handlers of an event under its own name; None for the original way.
        emitter = self._emitter
        if (
            type(emitter) is not emitter_class
            or emitter_class._emit is not down
            or emitter_class.emit is not up
            or emitter_class.emit_until_response is not until
            or aliaser._alias_event_name is not alias
        ):
            return None
        return emitter._lookup_cache.get(self._alias_name_cache.get(event_name))

    def emit(self: Any, event_name: str, **kwargs: Any) -> Any:
        emitter = self._emitter
        if (  # as in `found`, which would cost as much again
            type(emitter) is not emitter_class
            or emitter_class._emit is not down
            or emitter_class.emit is not up
            or aliaser._alias_event_name is not alias
        ):
            return stock[0](self, event_name, **kwargs)
        name = self._alias_name_cache.get(event_name)
        handlers = emitter._lookup_cache.get(name)
        if handlers is None or (handlers and loud.isEnabledFor(logging.DEBUG)):
            return stock[0](self, event_name, **kwargs)
        if not handlers:
            return []
        kwargs["event_name"] = name
        return [(handler, handler(**kwargs)) for handler in handlers]

    def emit_until_response(self: Any, event_name: str, **kwargs: Any) -> Any:
        handlers = found(self, event_name)
        if handlers is None or (handlers and loud.isEnabledFor(logging.DEBUG)):
            return stock[1](self, event_name, **kwargs)
        kwargs["event_name"] = self._alias_name_cache[event_name]
        last: tuple[Any, Any] = (None, None)
        for handler in handlers:
            last = (handler, handler(**kwargs))
            if last[1] is not None:
                break
        return last

    aliaser.emit, aliaser.emit_until_response = emit, emit_until_response

    def remove() -> None:
        aliaser.emit, aliaser.emit_until_response = stock

    return remove


def install_retries() -> Callable[[], None]:
    """Answer "no retry" to a first attempt that came back as a plain 200 at once; the answer undoes this."""
    import botocore.retries.special as special
    import botocore.retries.standard as standard

    handler: Any = standard.RetryHandler
    stock = handler.needs_retry
    loud: Any = standard.logger
    kinds = (standard.RetryPolicy, standard.StandardRetryConditions, standard.RetryEventAdapter)
    checks: tuple[Any, ...] = (
        standard.MaxAttemptsChecker, standard.OrRetryChecker, standard.TransientRetryableChecker,
        standard.ThrottledRetryableChecker, standard.ThrottlingStatusCodeChecker, standard.ModeledRetryableChecker,
        standard.OrRetryChecker, special.RetryIDPCommunicationError, special.RetryDDBChecksumError,
    )  # fmt: skip
    is_stock = watch(
        (standard.RetryPolicy, "should_retry"),
        (standard.RetryEventAdapter, "create_retry_context adapt_retry_response_from_context"),
        (standard.RetryContext, "get_error_code"),
        *((check, "is_retryable") for check in (standard.StandardRetryConditions, *checks)),
    )

    def limit_of(self: Any) -> int | None:
        # The most attempts of a handler made of stock parts; looked at once for each.
        policy = self._retry_policy
        kept: tuple[Any, int | None] | None = self.__dict__.get("_trine_limit")
        if kept is None or kept[0] is not policy:
            conditions: Any = getattr(policy, "_retry_checker", None)
            limit = None
            if (type(policy), type(conditions), type(self._retry_event_adapter)) == kinds:
                first, rest = conditions._max_attempts_checker, conditions._additional_checkers
                made = [*getattr(rest, "_checkers", ()), None]
                last = getattr(made[-2], "_checkers", ())
                found = (first, rest, *made[:-1], *last)
                if tuple(map(type, found)) == checks and 200 not in made[0]._transient_status_codes:
                    limit = first._max_attempts
            kept = self._trine_limit = (policy, limit)
        return kept[1]

    def needs_retry(self: Any, **kwargs: Any) -> Any:
        response, context = kwargs["response"], kwargs["request_dict"]["context"]
        retries = context.get("retries")
        if (
            kwargs["caught_exception"] is not None
            or kwargs["attempts"] != 1
            or response is None
            or response[0].status_code != 200
            or not isinstance(response[1], dict)
            or "Error" in response[1]
            or "ResponseMetadata" not in response[1]
            or not retries
            or loud.isEnabledFor(logging.DEBUG)
        ):
            return stock(self, **kwargs)
        limit = limit_of(self)
        if limit is None or limit <= 1 or _damaged(kwargs["operation"], response[0]) or not is_stock():
            return stock(self, **kwargs)
        retries["max"] = max(retries.get("max", 0), limit)
        return None

    handler.needs_retry = needs_retry

    def remove() -> None:
        handler.needs_retry = stock

    return remove


def _damaged(operation: Any, response: Any) -> bool:
    # Whether DynamoDB's checksum says that the answer was damaged on its way, or is not plainly right.
    if operation.service_model.service_name != "dynamodb":
        return False
    checksum = response.headers.get("x-amz-crc32")
    return checksum is not None and (not checksum.isdigit() or zlib.crc32(response.content) != int(checksum))
