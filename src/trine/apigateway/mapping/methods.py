"""The methods a mapping template may call on texts, lists and maps, by their Java names. Nothing else is reachable.

Enters a value, a name and arguments; leaves the result, or null for a method that does not exist (as Velocity does).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from trine.apigateway.limits import PAYLOAD_BYTES
from trine.apigateway.mapping.values import JavaEntry, JavaList, TemplateError, equals, steps_through, text_of
from trine.aws.patterns import PatternRefused, compile_pattern

COLLECTION_MAX = 100_000
"""Most entries a template may put into one list or map."""
COMPARED_PER_STEP = 10
"""Members of a list that are held against a value in the time of one step."""


class Toolbox:
    """Something like `$input` or `$util`: functions and values that a template reaches by name."""

    __slots__ = ("methods", "properties")

    def __init__(self, methods: dict[str, Callable[..., Any]], properties: dict[str, Any] | None = None) -> None:
        self.methods = methods
        self.properties = properties or {}


def get_property(value: Any, name: str) -> Any:
    """`$value.name`."""
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, Toolbox):
        return value.properties.get(name)
    if name == "empty" and isinstance(value, str | list):
        return not value
    return None


def get_item(value: Any, index: Any) -> Any:
    """`$value[index]`."""
    if isinstance(value, dict):
        return value.get(text_of(index))
    if isinstance(value, list) and isinstance(index, int) and -len(value) <= index < len(value):
        return value[index]
    return None


def set_item(target: Any, name: Any, value: Any) -> None:
    """`#set($target.name = value)`, `#set($target[0] = value)`; ignored where it makes no sense."""
    if isinstance(target, dict):
        _grow(target)
        target[text_of(name)] = value
    elif isinstance(target, list) and isinstance(name, int) and 0 <= name < len(target):
        target[name] = value


def _grow(collection: Any) -> None:
    if len(collection) >= COLLECTION_MAX:
        raise TemplateError(f"a collection grows beyond {COLLECTION_MAX} entries")


def effort_of(value: Any, name: str, arguments: Sequence[Any]) -> int:
    """Steps that the call of a method costs beyond the one that each node takes. TemplateError: it would never end."""
    if isinstance(value, str | Toolbox):
        return steps_through(value, *arguments)
    if name in _COMPARING:
        return (
            steps_through(value, *arguments) + len(value) // COMPARED_PER_STEP if isinstance(value, list | dict) else 0
        )
    return steps_through(value, *arguments) if name in _GO_THROUGH else 0


def call_method(value: Any, name: str, arguments: Sequence[Any]) -> Any:
    """`$value.name(arguments)`."""
    if isinstance(value, Toolbox):
        return _apply(value.methods.get(name), tuple(arguments))
    table = _STRING if isinstance(value, str) else _LIST if isinstance(value, list) else _MAP
    if not isinstance(value, str | list | dict):
        table = _SCALAR
    method = table.get(name)
    if method is None and not arguments and len(name) > 3 and name.startswith("get"):
        return get_property(value, name[3].lower() + name[4:])  # a bean's getter: `$entry.getKey()`
    return _apply(method, (value, *arguments))


def _apply(method: Callable[..., Any] | None, arguments: tuple[Any, ...]) -> Any:
    if method is None:
        return None
    try:
        return method(*arguments)
    except PatternRefused as error:
        raise TemplateError(str(error)) from None
    except (TypeError, AttributeError, IndexError, ValueError, OverflowError) as error:
        if isinstance(error, TemplateError):
            raise
        return None  # wrong arguments: Velocity finds no such method


def _replace_all(text: str, pattern: str, replacement: str) -> str:
    return _sized(compile_pattern(pattern).replace(text, replacement))


def _sized(text: str) -> str:
    if len(text) > PAYLOAD_BYTES:
        raise TemplateError(f"a text grows beyond {PAYLOAD_BYTES} characters")
    return text


def _add(collection: list[Any], *arguments: Any) -> bool:
    _grow(collection)
    if len(arguments) == 2:
        collection.insert(arguments[0], arguments[1])
    else:
        (item,) = arguments
        if item is collection:
            raise TemplateError("a list cannot hold itself")
        collection.append(item)
    return True


def _add_all(collection: list[Any], others: list[Any]) -> bool:
    if len(collection) + len(others) > COLLECTION_MAX:
        raise TemplateError(f"a collection grows beyond {COLLECTION_MAX} entries")
    collection.extend(others)
    return bool(others)


def _replace(collection: list[Any], index: int, item: Any) -> Any:
    before = collection[index] if index >= 0 else None
    set_item(collection, index, item)
    return before


def _put(mapping: dict[str, Any], key: Any, value: Any) -> Any:
    _grow(mapping)
    if value is mapping:
        raise TemplateError("a map cannot hold itself")
    before = mapping.get(text_of(key))
    mapping[text_of(key)] = value
    return before


def _java_int(text: str) -> int:
    """`Integer.parseInt`, reached by `#set($Integer = 0) $Integer.parseInt("5")`. ValueError when it is none."""
    if not text.lstrip("+-").isdecimal() or len(text) > 20:
        raise ValueError(text)
    return int(text)


def _substring(text: str, start: int, end: int | None = None) -> str:
    end = len(text) if end is None else end
    if not 0 <= start <= end <= len(text):
        raise IndexError
    return text[start:end]


def _compare(left: str, right: str) -> int:
    """`String.compareTo`: the distance of the first letters that differ, else of the lengths."""
    for one, other in zip(left, right, strict=False):
        if one != other:
            return ord(one) - ord(other)
    return len(left) - len(right)


_COMPARING = frozenset({"contains", "containsValue", "indexOf", "lastIndexOf"})
_GO_THROUGH = frozenset({"addAll", "entrySet", "keySet", "putAll", "subList", "toString", "values"})

_STRING: dict[str, Callable[..., Any]] = {
    "length": len,
    "isEmpty": lambda s: not s,
    "substring": _substring,
    "indexOf": lambda s, part, start=0: s.find(part, start),
    "lastIndexOf": lambda s, part: s.rfind(part),
    "contains": lambda s, part: part in s,
    "startsWith": lambda s, part: s.startswith(part),
    "endsWith": lambda s, part: s.endswith(part),
    "equals": lambda s, other: s == other,
    "equalsIgnoreCase": lambda s, other: s.lower() == other.lower(),
    "compareTo": lambda s, other: _compare(s, other),
    "toLowerCase": str.lower,
    "toUpperCase": str.upper,
    "trim": str.strip,
    "concat": lambda s, other: _sized(s + other),
    "replace": lambda s, old, new: (
        _sized(s.replace(old, new)) if len(s) * (len(new) + 1) <= 10 * PAYLOAD_BYTES else None
    ),
    "replaceAll": _replace_all,
    "replaceFirst": lambda s, pattern, new: compile_pattern(pattern).replace(s, new, 1),
    "matches": lambda s, pattern: compile_pattern(pattern).matches(s),
    "split": lambda s, pattern: JavaList(compile_pattern(pattern).split(s)),
    "charAt": lambda s, index: _substring(s, index, index + 1),
    "compareToIgnoreCase": lambda s, other: _compare(s.lower(), other.lower()),
    "isBlank": lambda s: not s.strip(),
    "strip": str.strip,
    "toString": lambda s: s,
}

_LIST: dict[str, Callable[..., Any]] = {
    "size": len,
    "isEmpty": lambda v: not v,
    "get": lambda v, index: v[index] if index >= 0 else None,
    "set": _replace,
    "add": _add,
    "addAll": _add_all,
    "remove": lambda v, index: v.pop(index),
    "contains": lambda v, item: any(equals(item, other) for other in v),
    "indexOf": lambda v, item: next((i for i, other in enumerate(v) if equals(item, other)), -1),
    "lastIndexOf": lambda v, item: next((i for i in range(len(v) - 1, -1, -1) if equals(item, v[i])), -1),
    "subList": lambda v, start, end: JavaList(v[start:end]) if 0 <= start <= end <= len(v) else None,
    "clear": list.clear,
    "toString": text_of,
}

_MAP: dict[str, Callable[..., Any]] = {
    "size": len,
    "isEmpty": lambda v: not v,
    "get": lambda v, key: v.get(text_of(key)),
    "getOrDefault": lambda v, key, default: v.get(text_of(key), default),
    "put": _put,
    "putAll": lambda v, other: v.update(other) if len(v) + len(other) <= COLLECTION_MAX else None,
    "remove": lambda v, key: v.pop(text_of(key), None),
    "containsKey": lambda v, key: text_of(key) in v,
    "containsValue": lambda v, item: any(equals(item, other) for other in v.values()),
    "keySet": lambda v: JavaList(v),
    "values": lambda v: JavaList(v.values()),
    "clear": dict.clear,
    "entrySet": lambda v: JavaList(JavaEntry(key=key, value=value) for key, value in v.items()),
    "toString": text_of,
}

_SCALAR: dict[str, Callable[..., Any]] = {
    "toString": text_of,
    "parseInt": lambda _, text: _java_int(text),
    "parseLong": lambda _, text: _java_int(text),
    "valueOf": lambda v, text: _java_int(text) if isinstance(v, int) else float(text),
    "parseDouble": lambda _, text: float(text),
    "parseFloat": lambda _, text: float(text),
    "compareTo": lambda v, other: (v > other) - (v < other),
    "intValue": int,
    "longValue": int,
    "doubleValue": float,
    "equals": equals,
}
