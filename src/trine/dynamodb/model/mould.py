"""The mould of an item: what the items of a table are alike in, compiled, so that the next one is read in one go.

Validated items of a table enter a `Pattern`, which keeps of each attribute the shape that all of them had; a `Mould`
leaves. Given the JSON of a PutItem with nothing but a table's name and an item of those shapes, it decodes, checks,
measures and encodes it, nearly all in C: what lies in the JSON beside the values is always as long, so the length of
the JSON tells the item's size. It gives the same bytes and size as the general way (`attribute`, `item`), or refuses,
and never says why: the general way does. An item of 400 bytes takes 52,000 instructions instead of 83,000.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Annotated, Any

import msgspec
import orjson
from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from trine.dynamodb.errors import SerializationException, ValidationException
from trine.dynamodb.model.attribute import Item, validate_value
from trine.dynamodb.model.item import item_size
from trine.dynamodb.model.key import KeySchema
from trine.dynamodb.model.number import NUMBER_CACHED_MAX_CHARACTERS, measured, measured_cached

PLACES_MAX_COUNT = 64
"""Values that a mould may have, at any depth."""
_Getter = Callable[[Any], tuple[Any, ...]]
Shape = Any
"""`S`, `N`, `BOOL`, `SS`; `(M, ((name, shape), …))` sorted by name; `(L, (shape, …))`; None: free, whatever it is, also
when it is not there."""


class _Text(Struct, forbid_unknown_fields=True, gc=False):
    S: str


class _Number(Struct, forbid_unknown_fields=True, gc=False):
    N: str


class _Flag(Struct, forbid_unknown_fields=True, gc=False):
    BOOL: bool


class _Texts(Struct, forbid_unknown_fields=True, gc=False):
    SS: Annotated[list[str], Meta(min_length=1)]


_SCALARS: dict[str, type[Struct]] = {"S": _Text, "N": _Number, "BOOL": _Flag, "SS": _Texts}
_encode = msgspec.json.Encoder().encode
REFUSED = (msgspec.MsgspecError, SerializationException, ValidationException, ValueError, RecursionError)
"""What `Mould.cast` raises for what it cannot cast."""


def shape_of(value: dict[str, Any]) -> Shape:
    """The shape of a validated value; None where it has none that helps."""
    ((kind, content),) = value.items()
    if kind in _SCALARS:
        return kind
    if kind not in ("M", "L") or len(content) > PLACES_MAX_COUNT:
        return None
    inner: tuple[Any, ...]
    if kind == "M":
        inner = tuple((name, shape_of(content[name])) for name in sorted(content))
        return None if None in [shape for _, shape in inner] else ("M", inner)
    inner = tuple(shape_of(element) for element in content)
    return None if None in inner else ("L", inner)


def _count(shape: Shape) -> int:
    if shape is None or isinstance(shape, str):
        return 1
    kind, inner = shape
    return 1 + sum([_count(shape[1] if kind == "M" else shape) for shape in inner])


class Pattern:
    """What the items seen so far have in common."""

    def __init__(self) -> None:
        self._shapes: dict[str, Shape] = {}

    def mould(self, item: Item) -> Mould | None:
        """What casts items like this validated one and all those before it; None where they are too different."""
        known = self._shapes
        shapes = {name: shape_of(value) for name, value in item.items()}
        if known:
            names = dict.fromkeys((*known, *shapes))
            shapes = {name: known.get(name) if known.get(name) == shapes.get(name) else None for name in names}
        self._shapes = shapes
        free_count = list(shapes.values()).count(None)
        if sum(map(_count, shapes.values())) > PLACES_MAX_COUNT or 2 * free_count >= len(shapes):
            return None  # too many, or too many that are checked one by one, as the general way does
        try:
            return Mould(shapes, item)
        except ValueError:  # a name that needs escapes, or an example that does
            return None


def _type_of(shape: Shape, path: str, places: list[str]) -> type[Struct]:
    """The type of values of `shape`; `places` gets the paths of those in it that its type alone does not check."""
    if isinstance(shape, str):
        if shape != "S":
            places.append(path)
        return _SCALARS[shape]
    kind, inner = shape
    shapes = [shape for _, shape in inner] if kind == "M" else inner
    fields = [(f"a{at}", _type_of(shape, f"{path}.{kind}.a{at}", places)) for at, shape in enumerate(shapes)]
    rename = {f"a{at}": name for at, (name, _) in enumerate(inner)} if kind == "M" else None
    content = defstruct("Content", fields, rename=rename, array_like=kind == "L", forbid_unknown_fields=True, gc=False)
    return defstruct("Value", [(kind, content)], forbid_unknown_fields=True, gc=False)


class Mould:
    """Casts items of certain shapes."""

    def __init__(self, shapes: dict[str, Shape], example: Item) -> None:
        """`example` has these shapes. ValueError for what the codec does not take."""
        places: list[str] = []
        fields: list[Any] = []
        self._shapes = shapes
        self._fields = {name: f"a{at}" for at, name in enumerate(shapes)}
        self._free: list[tuple[str, int]] = []
        """Field of a free attribute, and what its name counts, less than what stands around it in the JSON."""
        for name, field in self._fields.items():
            shape = shapes[name]
            if shape is None:
                fields.append((field, dict[str, Any] | UnsetType, UNSET))
                self._free.append((field, len(name.encode()) - len(orjson.dumps(name)) - len(":,")))
            else:
                fields.append((field, _type_of(shape, field, places)))
        rename = {field: name for name, field in self._fields.items()}
        of_item = defstruct("Item", fields, rename=rename, kw_only=True, forbid_unknown_fields=True, gc=False)
        of_put = defstruct("Put", [("TableName", str), ("Item", of_item)], forbid_unknown_fields=True, gc=False)
        self._decode = msgspec.json.Decoder(of_put).decode
        self._places = _getter(places)
        self._schema: KeySchema | None = None
        self._key_getter: _Getter | None = None
        self._base = 0
        text, size_bytes = self._measured(msgspec.convert(example, of_item))
        if b"\\" in text:
            raise ValueError("the example has escapes")
        self._base = item_size(example) - size_bytes
        """What names and fixed values count, less than all that stands around values in the JSON."""

    def cast(self, body: bytes) -> tuple[str, Any, bytes, int]:
        """The table's name, the item as an object, its JSON and its size in bytes, of a PutItem's body.

        One of `REFUSED` when that is more than a table and an item for this mould, or not a valid item.
        """
        put: Any = self._decode(body)
        text, size_bytes = self._measured(put.Item)
        if b"\\" in text:  # an escape is longer than what it stands for
            size_bytes = item_size(orjson.loads(text))
        return put.TableName, put.Item, text, size_bytes

    def texts(self, item: Any, schema: KeySchema) -> tuple[str, ...] | None:
        """What the key attributes of an item hold that `cast` gave, in schema order; None where they are not all
        strings or numbers, of their types.
        """
        if schema is not self._schema:  # one table has one, and a mould has one table
            self._schema, self._key_getter = schema, self._getter_of(schema)
        return None if self._key_getter is None else self._key_getter(item)

    def _getter_of(self, schema: KeySchema) -> _Getter | None:
        shapes = [(attribute, self._shapes.get(attribute.name)) for attribute in schema.attributes]
        if any(shape not in ("S", "N") or shape != attribute.type for attribute, shape in shapes):
            return None
        return _getter([f"{self._fields[attribute.name]}.{shape}" for attribute, shape in shapes])

    def _measured(self, item: Any) -> tuple[bytes, int]:
        """JSON and size of an item, checked and normalised where its type does not see to that."""
        size_bytes = self._base
        for value in self._places(item):
            kind = value.__class__
            if kind is _Number:
                text = value.N
                number, number_bytes = (measured_cached if len(text) <= NUMBER_CACHED_MAX_CHARACTERS else measured)(
                    text
                )
                if number != text:
                    value.N = number
                size_bytes += number_bytes - len(number)
            elif kind is _Flag:
                size_bytes -= 4 if value.BOOL else 5
            else:
                elements = value.SS
                count = len(elements)
                if len(set(elements)) != count:
                    raise ValueError("a set with duplicates")
                elements.sort()
                size_bytes -= count * len('"",')
        for field, beside_bytes in self._free:
            value = getattr(item, field)
            if value is not UNSET:
                size_bytes += validate_value(value) + beside_bytes - len(_encode(value))
        encoded = _encode(item)
        return encoded, size_bytes + len(encoded)


def _getter(paths: Sequence[str]) -> _Getter:
    """What gets the values at `paths` of an object, in one call of C."""
    if not paths:
        return lambda item: ()
    get: Callable[[Any], Any] = attrgetter(*paths)
    return get if len(paths) > 1 else lambda item: (get(item),)
