"""Handlers whose results, errors and log lines depend on the runtime's client: run by Trine's and by `awslambdaric`."""

import collections
import datetime
import decimal
import enum
import json
import logging
import math
import sys
import uuid

logger = logging.getLogger()
Pair = collections.namedtuple("Pair", "left right")


class Colour(enum.StrEnum):
    RED = "red"


class Row:
    def _asdict(self):
        return {"a": Pair(1, None)}


RESULTS = {
    "named tuples": lambda: {"pair": Pair(1, [Pair(2, decimal.Decimal("2.50"))])},
    "as dictionary": lambda: [Row()],
    "bytes as keys": lambda: {b"a": b"b"},
    "keys of all kinds": lambda: {None: 3, True: 4, 1.5: 5, 7: 1, Colour.RED: 6},
    "a key that is none": lambda: {(1, 2): 1},
    "decimals": lambda: [decimal.Decimal(text) for text in ("1.10", "1E+3", "NaN", "-0.0", "1e400")],
    "no numbers": lambda: [math.nan, math.inf, -math.inf],
    "ordered": lambda: collections.OrderedDict(b=1, a=2),
    "tuples": lambda: (1, (2, 3)),
    "text": lambda: "żółć \u2028 \x7f \x00 😀 <>&/",
    "a lone surrogate": lambda: "\ud800",
    "numbers": lambda: [10**30, 1e22, 1e-7, -0.0, Colour.RED],
    "a set": lambda: {1},
    "a date": lambda: datetime.datetime(2020, 1, 1),
    "an identifier": lambda: uuid.UUID(int=1),
    "a generator": lambda: (n for n in range(3)),
    "an instance": lambda: object,
    "broken bytes": lambda: [b"\xff"],
    "raw": lambda: b"raw \xff",
}


def result(event, context):
    return RESULTS[event]()


def circle(event, context):
    value = {}
    value["again"] = value
    return value


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def several_lines(event, context):
    raise ValueError("one\ntwo\n  three")


def unspeakable(event, context):
    raise Unspeakable


def no_text(event, context):
    raise ValueError("\ud800")


def chained(event, context):
    try:
        json.loads("{bad")
    except ValueError as error:
        raise KeyError("outer") from error


def misformatted(event, context):
    logger.warning("%d", "x")


def unprintable(event, context):
    print("\ud800")


def levels(event, context):
    for level in (10, 20, 25, 30, 40, 45, 50):
        logger.log(level, "at %d", level)
    return logger.level


def records(event, context):
    logger.error({"a": datetime.date(2020, 1, 1)}, extra={"order": 7, "when": datetime.date(2020, 1, 1)})
    logger.error("żółć", extra={"_hidden": 1})
    try:
        json.loads("{bad")
    except ValueError:
        logging.getLogger("a.b").exception("caught %s", "it")
    return [len(logger.handlers), logging.Formatter.converter.__name__]


def streams(event, context):
    print("out", file=sys.stdout)
    print("err", file=sys.stderr)
    return [sys.stdout.encoding, sys.stdout.name, sys.stderr.name, sys.stdout.isatty()]


def context_shown(event, context):
    shown = context.client_context
    return [repr(shown), repr(context.identity), shown.client.app_title, context.w3c(), repr(context).count("=")]


def own_format(event, context):
    for handler in logger.handlers:
        handler.setFormatter(logging.Formatter("%(levelname)s of %(name)s: %(message)s"))
    logger.warning("first")
    logger.warning("second\nline")
