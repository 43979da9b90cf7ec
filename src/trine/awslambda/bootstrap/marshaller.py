"""A handler's result as JSON text, as AWS's Python runtime writes it: that one uses `simplejson`, this one the standard
library, whose encoder is several times as fast, and brings what they treat differently into line first.

Differences that matter: named tuples (and whatever has `_asdict`) become objects, bytes text, also as keys; decimals
become numbers with all their digits (`awslambdaric`, `lambda_runtime_marshaller`).
"""

from __future__ import annotations

import decimal
import json
import marshal
import os
import re
from collections.abc import Callable
from typing import Any

_ASCII_RUNTIMES = ("3.8", "3.9", "3.10", "3.11")
_DECIMAL_MARK = os.urandom(12).hex()
_DECIMAL = re.compile(f'"{_DECIMAL_MARK}:([^"]*)"')
_SCALARS = frozenset({str, int, float, bool, type(None)})


def make_encoder(execution_environment: str) -> Callable[[Any], str]:
    """The function that turns results into JSON; runtimes below Python 3.12 escape all that is not ASCII.

    It raises what the encoder raises: TypeError, ValueError, RecursionError.
    """
    ascii_only = execution_environment.endswith(_ASCII_RUNTIMES)
    encode = json.JSONEncoder(ensure_ascii=ascii_only, default=_encode_other).encode

    def to_json(value: Any) -> str:
        try:
            text = encode(value if _is_plain(value) else _in_plain_types(value))
        except TypeError:
            text = encode(_in_plain_types(value))  # a key of bytes is the one thing that this mends
        return _DECIMAL.sub(r"\1", text) if _DECIMAL_MARK in text else text

    return to_json


def _is_plain(value: Any) -> bool:
    # Whether it is made of the built-in types themselves, without subclasses: both encoders write that alike. A flat
    # dictionary, such as most answers to HTTP are, is seen through at once; for the rest `marshal` looks in C, which
    # writes exact types only.
    if type(value) is dict:
        for member in value.values():
            if type(member) not in _SCALARS:
                break
        else:
            return True
    try:
        marshal.dumps(value)
    except ValueError:
        return False
    return True


def _in_plain_types(value: Any) -> Any:
    if type(value) in _SCALARS:
        return value
    if not isinstance(value, list):
        as_dictionary = getattr(value, "_asdict", None)
        if callable(as_dictionary) and not isinstance(value, type):
            value = as_dictionary()
    if isinstance(value, (list, tuple)):
        return [_in_plain_types(member) for member in value]
    if isinstance(value, dict):
        return {_key(key): _in_plain_types(member) for key, member in value.items()}
    return value


def _key(key: Any) -> Any:
    return key.decode() if isinstance(key, bytes) else key


def _encode_other(value: object) -> Any:
    if isinstance(value, decimal.Decimal):
        return float("nan") if value.is_nan() else f"{_DECIMAL_MARK}:{value}"
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
