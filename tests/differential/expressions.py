"""Random expressions with their placeholders: mostly right, so that both servers get far, and spoiled now and then."""

from __future__ import annotations

from random import Random
from typing import Any

NAMES = ["v", "w", "x", "m", "l1", "g", "h", "l", "p", "s", "size", "Name", "a-b", "a.b"]
KEY_NAMES = frozenset("ghlps")
NUMBERS = [
    "0", "1", "2", "-1", "3.50", "100", "0.1", "-0", "1E2", "1e-3", "12345678901234567890", "9" * 38, "9" * 39,
    "1E125", "9.9E125", "1E126", "1E-130", "1E-131", "0.000", "00012", "+5", "5.", ".5", "1e", "x", "", "NaN",
]  # fmt: skip
TEXTS = ["", "a", "b", "ab", "é", "\U0001f600", "x" * 200, "a b", "1"]
BINARIES = ["", "AA==", "AAE=", "/w==", "YWI="]
BAD_BINARIES = ["AAA", "A", "====", "a b="]


class Values:
    """Draws attribute values; `odd` is how often one is not quite right."""

    def __init__(self, random: Random, odd: float = 0.01) -> None:
        self.random, self.odd = random, odd

    def number(self) -> str:
        return self.random.choice(NUMBERS if self.random.random() < self.odd * 5 else NUMBERS[:12])

    def scalar(self, kind: str) -> Any:
        choose = self.random
        if kind == "N":
            return {"N": self.number()}
        if kind == "B":
            return {"B": choose.choice(BAD_BINARIES if choose.random() < self.odd else BINARIES)}
        return {kind: choose.choice(TEXTS)}

    def value(self, depth: int = 0) -> Any:
        choose = self.random
        if choose.random() < self.odd:
            return choose.choice(
                [{}, {"S": "a", "N": "1"},
                 {"Q": "a"}, {"N": 1}, {"NULL": False}, {"SS": []}, {"S": None}, {"BOOL": "x"}, {"L": {}}]
            )  # fmt: skip
        kind = choose.choice(["S", "S", "N", "N", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "M", "L"])
        if kind in ("S", "N", "B"):
            return self.scalar(kind)
        if kind == "BOOL":
            return {"BOOL": choose.random() < 0.5}
        if kind == "NULL":
            return {"NULL": True}
        if kind in ("SS", "NS", "BS"):
            few = [self.scalar(kind[0])[kind[0]] for _ in range(choose.choice([1, 2, 3]))]
            return {kind: few if choose.random() < self.odd else list(dict.fromkeys(few))}
        few_range = range(choose.randrange(4) if depth < 3 else 0)
        if kind == "L":
            return {"L": [self.value(depth + 1) for _ in few_range]}
        return {"M": {choose.choice("abc"): self.value(depth + 1) for _ in few_range}}


class Expressions:
    """Draws expressions of one request; `names` and `values` collect their placeholders."""

    def __init__(self, random: Random, values: Values) -> None:
        self.random, self.drawn = random, values
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}
        self.spoiling = 0.01

    def name(self) -> str:
        name = self.random.choice(NAMES)
        if name in ("size", "Name", "a-b", "a.b") or self.random.random() < 0.2:
            if self.random.random() < self.spoiling:
                return name
            placeholder = f"#n{len(self.names)}"
            self.names[placeholder] = name
            return placeholder
        return name

    def path(self) -> str:
        path = self.name()
        while path not in KEY_NAMES and self.random.random() < 0.25:
            path += self.random.choice(["[0]", "[1]", ".a", ".b", ".c"])
        return path

    def bind(self, value: Any | None = None) -> str:
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = self.drawn.value() if value is None else value
        if self.random.random() < self.spoiling:
            return self.random.choice([":missing", "literal", "1", "'text'"])
        return placeholder

    def operand(self) -> str:
        return self.random.choice([self.path, self.path, self.bind, lambda: f"size({self.path()})"])()

    def comparable(self) -> tuple[str, str]:
        low, high = self.random.choice(
            [({"S": "a"}, {"S": "b"}), ({"N": "-1"}, {"N": "2"}), ({"B": "AA=="}, {"B": "AAE="})]
        )
        if self.random.random() < 0.1:
            low, high = high, low
        return self.bind(low), self.bind(high)

    def condition(self, depth: int = 0) -> str:
        choose = self.random
        kind = choose.randrange(14)
        if depth < 3 and kind < 5:
            one = self.condition(depth + 1)
            if kind == 0:
                return f"NOT {one}"
            if kind == 1:
                return f"({one})"
            return f"{one} {choose.choice(['AND', 'OR', 'and'])} {self.condition(depth + 1)}"
        if kind < 9:
            operator = choose.choice(["=", "=", "<>", "<", "<=", ">", ">="])
            if operator in ("=", "<>") or choose.random() < 0.2:
                return f"{self.path()} {operator} {self.operand()}"
            return f"{self.path()} {operator} {self.bind(self.drawn.scalar(choose.choice('SNNB')))}"
        if kind == 9:
            low, high = self.comparable()
            return f"{self.path()} BETWEEN {low} AND {high}"
        if kind == 10:
            return f"{self.operand()} IN ({', '.join(self.operand() for _ in range(choose.choice([1, 2, 3])))})"
        if choose.random() < self.spoiling * 3:
            return choose.choice(
                ["attribute_exists(v, w)", "nothing(v)", "size(v)", "contains(v)", "v = v", "v = ", "((v = w))"]
            )
        function = choose.choice(
            ["attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains"]
        )
        if function in ("attribute_exists", "attribute_not_exists"):
            return f"{function}({self.path()})"
        if function == "attribute_type":
            kind_name = choose.choice(["S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL", "Z"])
            return f"attribute_type({self.path()}, {self.bind({'S': kind_name})})"
        wanted = self.bind(self.drawn.scalar(choose.choice("SB"))) if choose.random() < 0.9 else self.operand()
        return f"{function}({self.path()}, {wanted if function == 'begins_with' else self.operand()})"

    def update(self) -> str:
        choose, clauses = self.random, []
        for kind in choose.sample(["SET", "REMOVE", "ADD", "DELETE"], choose.choice([1, 1, 1, 2, 3])):
            few = range(choose.choice([1, 1, 2, 3]))
            if kind == "SET":
                made = [f"{self.path()} = {self._set_value()}" for _ in few]
            elif kind == "REMOVE":
                made = [self.path() for _ in few]
            else:
                kinds = ["N", "SS", "NS", "BS"] if kind == "ADD" else ["SS", "NS", "BS"]
                made = [f"{self.path()} {self.bind(self._addend(choose.choice(kinds)))}" for _ in few]
            clauses.append(f"{kind} {', '.join(made)}")
        return " ".join(clauses)

    def _addend(self, kind: str) -> Any:
        if self.random.random() < self.spoiling * 3:
            return self.drawn.value()
        if kind == "N":
            return self.drawn.scalar("N")
        return {kind: [self.drawn.scalar(kind[0])[kind[0]]]}

    def _set_value(self) -> str:
        choose = self.random
        kind = choose.randrange(8)
        if kind < 3:
            return self.bind()
        if kind == 3:
            return self.path()
        if kind == 4:
            return f"{self.path()} {choose.choice('+-')} {self.bind(self.drawn.scalar('N'))}"
        if kind == 5:
            return f"if_not_exists({self.path()}, {choose.choice([self.bind, self.path])()})"
        if kind == 6:
            return f"list_append({self.path()}, {self.bind({'L': [self.drawn.value()]})})"
        return f"if_not_exists({self.path()}, {self.bind({'N': '0'})}) + {self.bind({'N': '1'})}"

    def projection(self) -> str:
        return ", ".join(self.path() for _ in range(self.random.choice([1, 1, 2, 3])))

    def given(self, document: dict[str, Any]) -> None:
        """Put the collected placeholders into `document`, now and then one too many or one too few."""
        choose = self.random
        if choose.random() < self.spoiling:
            self.names["#unused"] = "v"
        if choose.random() < self.spoiling:
            self.values[":unused"] = {"S": "a"}
        for collected in (self.names, self.values):
            if collected and choose.random() < self.spoiling:
                collected.pop(choose.choice(list(collected)))
        if self.names or choose.random() < self.spoiling:
            document["ExpressionAttributeNames"] = self.names
        if self.values or choose.random() < self.spoiling:
            document["ExpressionAttributeValues"] = self.values
