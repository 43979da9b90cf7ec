"""What `boto3.resource("dynamodb")` does to parameters and answers, without what comes to nothing.

Types are told by their class where that is enough (subclasses, sets and the rest take the original's way), copies are
made of plain containers only, and shapes that hold no attribute value at all are not walked through.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

_ATOMS = frozenset({str, int, bool, float, bytes, type(None), Decimal})


def install() -> Callable[[], None]:
    """Put the shorter steps in place; the answer takes them away again."""
    import boto3.dynamodb.transform as transform
    import boto3.dynamodb.types as types

    writer: Any = types.TypeSerializer
    reader: Any = types.TypeDeserializer
    walker: Any = transform.ParameterTransformer
    module: Any = transform
    stock = (writer.serialize, reader.deserialize, walker.transform, module.copy_dynamodb_params)
    tell = writer._get_dynamodb_type
    walk = walker._transform_parameters

    def serialize(self: Any, value: Any) -> Any:
        if type(self) is not writer or writer._get_dynamodb_type is not tell:
            return stock[0](self, value)
        kind = type(value)
        if kind is str:
            return {"S": self._serialize_s(value)}
        if kind is bool:
            return {"BOOL": self._serialize_bool(value)}
        if kind is int or kind is Decimal:
            return {"N": self._serialize_n(value)}
        if kind is dict:
            return {"M": self._serialize_m(value)}
        if kind is list:
            return {"L": self._serialize_l(value)}
        return stock[0](self, value)

    def deserialize(self: Any, value: Any) -> Any:
        if type(self) is reader and type(value) is dict and len(value) == 1:
            ((name, item),) = value.items()
            if name == "S":
                return self._deserialize_s(item)
            if name == "N":
                return self._deserialize_n(item)
            if name == "BOOL":
                return self._deserialize_bool(item)
        return stock[1](self, value)

    def copied(value: Any) -> Any:
        kind = type(value)
        if kind is dict:
            return {name: item if type(item) in _ATOMS else copied(item) for name, item in value.items()}
        if kind is list:
            return [item if type(item) in _ATOMS else copied(item) for item in value]
        return value if kind in _ATOMS else stock[3](value)

    def copy_dynamodb_params(params: Any, **kwargs: Any) -> Any:
        return copied(params)

    def transformed(self: Any, params: Any, model: Any, transformation: Any, target_shape: str) -> None:
        if type(self) is not walker or walker._transform_parameters is not walk:
            stock[2](self, params, model, transformation, target_shape)
            return
        reaches = model.__dict__.setdefault("_trine_reaches", {})
        if target_shape not in reaches:
            reaches[target_shape] = _reaches(model, target_shape, set())
        if reaches[target_shape]:
            stock[2](self, params, model, transformation, target_shape)

    writer.serialize, reader.deserialize, walker.transform = serialize, deserialize, transformed
    module.copy_dynamodb_params = copy_dynamodb_params

    def remove() -> None:
        writer.serialize, reader.deserialize, walker.transform, module.copy_dynamodb_params = stock

    return remove


def _reaches(shape: Any, target: str, seen: set[str]) -> bool:
    # Whether a shape called `target` lies anywhere below `shape`.
    if shape.name in seen:
        return False
    seen.add(shape.name)
    kind = shape.type_name
    if kind == "structure":
        below = list(shape.members.values())
    elif kind == "map":
        below = [shape.value]
    elif kind == "list":
        below = [shape.member]
    else:
        below = []
    return any(member.name == target or _reaches(member, target, seen) for member in below)
