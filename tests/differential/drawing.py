"""Random operations over one table of few keys, so that they meet: an operation's name and its input document."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

from tests.differential.expressions import NAMES, Expressions, Values
from tests.differential.statements import statement

TABLE = "Fuzzed"
DEFINITION: dict[str, Any] = {
    "TableName": TABLE,
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": kind}
        for name, kind in (("p", "S"), ("s", "N"), ("g", "S"), ("h", "N"), ("l", "S"))
    ],
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-g",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "h", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["v"]},
        }
    ],
    "LocalSecondaryIndexes": [
        {
            "IndexName": "by-l",
            "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "l", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}
KEYS = [{"p": {"S": p}, "s": {"N": s}} for p in ("a", "b", "é") for s in ("1", "2", "-3", "10.5")]
JUNK: list[Any] = [None, True, 0, -1, 2**31, 2**40, 1.5, "", "a", "x" * 300, [], {}, [None], {"S": "a"}, ["a"], [{}]]


class Drawing:
    """Draws (operation, document) pairs; each seed is one repeatable run."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.values = Values(self.random)
        self._kinds: list[tuple[int, str, Callable[[], dict[str, Any]]]] = [
            (5, "PutItem", self._put),
            (3, "GetItem", self._get),
            (8, "UpdateItem", self._update),
            (3, "DeleteItem", self._delete),
            (6, "Query", self._query),
            (4, "Scan", self._scan),
            (2, "BatchGetItem", self._batch_get),
            (2, "BatchWriteItem", self._batch_write),
            (2, "TransactGetItems", self._transact_get),
            (3, "TransactWriteItems", self._transact_write),
            (2, "ExecuteStatement", self._statement),
        ]

    def operation(self) -> tuple[str, dict[str, Any]]:
        """The next operation."""
        weights = [weight for weight, _, _ in self._kinds]
        _, name, draw = self.random.choices(self._kinds, weights)[0]
        document = draw()
        if self._chance(0.05):
            document = self._spoiled(document)
        return name, document

    def _chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def _key(self) -> dict[str, Any]:
        key = dict(self.random.choice(KEYS))
        if self._chance(0.04):
            spoilt = self.random.choice("ps")
            choices = [{"S": ""}, {"N": "x"}, {"B": "AA=="}, {"N": "1E126"}, {"S": "a" * 2049}, {"NULL": True}]
            key[spoilt] = self.random.choice(choices)
        if self._chance(0.02):
            key.pop(self.random.choice("ps"))
        if self._chance(0.01):
            key["extra"] = {"S": "a"}
        return key

    def _item(self) -> dict[str, Any]:
        item = self._key()
        for name, kind in (("g", "S"), ("h", "N"), ("l", "S")):
            if self._chance(0.5):
                value = {"S": self.random.choice("xyz")} if kind == "S" else {"N": str(self.random.randrange(-3, 12))}
                item[name] = self.values.value() if self._chance(0.05) else value
        for name in self.random.sample([*NAMES[:5], *NAMES[10:]], self.random.randrange(5)):
            item[name] = self.values.value()
        return item

    def _expressions(self) -> Expressions:
        return Expressions(self.random, self.values)

    def _common(self, document: dict[str, Any], *, write: bool) -> dict[str, Any]:
        if self._chance(0.4):
            document["ReturnConsumedCapacity"] = self.random.choice(["INDEXES", "TOTAL", "NONE"])
        if not write and self._chance(0.3):
            document["ConsistentRead"] = self._chance(0.7)
        if write and self._chance(0.1):
            document["ReturnItemCollectionMetrics"] = "NONE"
        return document

    def _conditioned(self, document: dict[str, Any], made: Expressions) -> None:
        if self._chance(0.45):
            document["ConditionExpression"] = made.condition()
            if self._chance(0.3):
                document["ReturnValuesOnConditionCheckFailure"] = self.random.choice(["ALL_OLD", "NONE"])

    def _expected(self) -> dict[str, Any]:
        comparisons = ["EQ", "NE", "LT", "LE", "GT", "GE", "NULL", "NOT_NULL", "CONTAINS", "NOT_CONTAINS",
                       "BEGINS_WITH", "IN", "BETWEEN"]  # fmt: skip
        expected: dict[str, Any] = {}
        for name in self.random.sample(NAMES[:8], self.random.choice([1, 1, 2])):
            operator = self.random.choice(comparisons)
            count = {"NULL": 0, "NOT_NULL": 0, "BETWEEN": 2, "IN": self.random.choice([1, 2])}.get(operator, 1)
            if self._chance(0.05):
                count = self.random.randrange(3)
            values = [self.values.scalar(self.random.choice("SNN")) for _ in range(count)]
            expected[name] = {"ComparisonOperator": operator, **({"AttributeValueList": values} if values else {})}
        return expected

    def _put(self) -> dict[str, Any]:
        document = self._common({"TableName": TABLE, "Item": self._item()}, write=True)
        if self._chance(0.3):
            document["ReturnValues"] = self.random.choice(["NONE", "ALL_OLD", "ALL_OLD", "ALL_NEW"])
        self._guarded(document)
        return document

    def _delete(self) -> dict[str, Any]:
        document = self._common({"TableName": TABLE, "Key": self._key()}, write=True)
        if self._chance(0.3):
            document["ReturnValues"] = self.random.choice(["NONE", "ALL_OLD", "ALL_OLD", "UPDATED_NEW"])
        self._guarded(document)
        return document

    def _guarded(self, document: dict[str, Any]) -> None:
        if self._chance(0.1):
            document["Expected"] = self._expected()
            if len(document["Expected"]) > 1 and self._chance(0.5):
                document["ConditionalOperator"] = self.random.choice(["AND", "OR"])
            return
        made = self._expressions()
        self._conditioned(document, made)
        made.given(document)

    def _update(self) -> dict[str, Any]:
        document = self._common({"TableName": TABLE, "Key": self._key()}, write=True)
        if self._chance(0.6):
            returned = ["ALL_NEW", "ALL_OLD", "UPDATED_NEW", "UPDATED_OLD", "NONE"]
            document["ReturnValues"] = self.random.choice(returned)
        if self._chance(0.12):
            document["AttributeUpdates"] = {
                self.random.choice(NAMES[:8]): self._attribute_update() for _ in range(self.random.choice([1, 2]))
            }
            if self._chance(0.3):
                document["Expected"] = self._expected()
            return document
        made = self._expressions()
        document["UpdateExpression"] = made.update()
        self._conditioned(document, made)
        made.given(document)
        return document

    def _attribute_update(self) -> dict[str, Any]:
        action = self.random.choice(["PUT", "ADD", "DELETE"])
        kind = self.random.choice(["N", "SS", "NS"])
        value = self.values.scalar("N") if kind == "N" else {kind: [self.values.scalar(kind[0])[kind[0]]]}
        update: dict[str, Any] = {"Action": action}
        if not (action == "DELETE" and self._chance(0.5)):
            update["Value"] = self.values.value() if action == "PUT" else value
        return update

    def _projected(self, document: dict[str, Any], made: Expressions, probability: float = 0.35) -> None:
        if self._chance(probability):
            document["ProjectionExpression"] = made.projection()

    def _get(self) -> dict[str, Any]:
        document = self._common({"TableName": TABLE, "Key": self._key()}, write=False)
        if self._chance(0.06):
            document["AttributesToGet"] = self.random.sample(NAMES, 2)
            return document
        made = self._expressions()
        self._projected(document, made)
        made.given(document)
        return document

    def _paged(self, document: dict[str, Any]) -> None:
        if self._chance(0.3):
            document["Limit"] = self.random.choice([1, 2, 3, 5, 1000])
        if self._chance(0.08):
            document["Select"] = self.random.choice(
                ["COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES"]
            )
        if self._chance(0.06):
            document["ExclusiveStartKey"] = self._key()

    def _query(self) -> dict[str, Any]:
        choose = self.random
        document = self._common({"TableName": TABLE}, write=False)
        index = choose.choice(
            [None, None, None, "by-g", "by-l", "by-l", "nothing"] if self._chance(0.2) else [None, "by-g", "by-l"]
        )
        if index is not None:
            document["IndexName"] = index
        if choose.random() < 0.5:
            document["ScanIndexForward"] = choose.random() < 0.4
        self._paged(document)
        hash_name, range_name, range_kind = {"by-g": ("g", "h", "N"), "by-l": ("p", "l", "S")}.get(
            index or "", ("p", "s", "N")
        )
        partition = {"S": choose.choice("xyz" if hash_name == "g" else ["a", "b", "é"])}
        if self._chance(0.07):
            document["KeyConditions"] = {hash_name: {"ComparisonOperator": "EQ", "AttributeValueList": [partition]}}
            if self._chance(0.3):
                document["QueryFilter"] = self._expected()
            return document
        made = self._expressions()
        terms = [f"{hash_name} = {made.bind(partition)}"]
        if self._chance(0.5):
            value = {"N": choose.choice(["1", "2", "0", "11"])} if range_kind == "N" else {"S": choose.choice("xyz")}
            if self._chance(0.04):
                value = self.values.value()
            kind = choose.randrange(6)
            if kind == 0:
                terms.append(f"{range_name} BETWEEN {made.bind(value)} AND {made.bind(value)}")
            elif kind == 1 and range_kind == "S":
                terms.append(f"begins_with({range_name}, {made.bind(value)})")
            else:
                operator = choose.choice(["=", "<", ">", "<=", ">="] + (["<>"] if self._chance(0.1) else []))
                terms.append(f"{range_name} {operator} {made.bind(value)}")
        if self._chance(0.04):
            terms.append(made.condition())
        document["KeyConditionExpression"] = " AND ".join(terms)
        if self._chance(0.35):
            document["FilterExpression"] = made.condition()
        self._projected(document, made)
        made.given(document)
        return document

    def _scan(self) -> dict[str, Any]:
        document = self._common({"TableName": TABLE}, write=False)
        if self._chance(0.3):
            document["IndexName"] = self.random.choice(["by-g", "by-l"])
        self._paged(document)
        if self._chance(0.1):
            document |= {"Segment": self.random.choice([0, 1, 5]), "TotalSegments": self.random.choice([1, 2, 4])}
        if self._chance(0.08):
            document["ScanFilter"] = self._expected()
            return document
        made = self._expressions()
        if self._chance(0.5):
            document["FilterExpression"] = made.condition()
        self._projected(document, made)
        made.given(document)
        return document

    def _keys(self, most: int) -> list[dict[str, Any]]:
        few = self.random.sample(KEYS, self.random.randrange(1, most + 1))
        if self._chance(0.06):
            few.append(few[0])
        if self._chance(0.05):
            few.append(self._key())
        return [dict(key) for key in few]

    def _batch_get(self) -> dict[str, Any]:
        made = self._expressions()
        part: dict[str, Any] = {"Keys": self._keys(6)}
        self._projected(part, made)
        if made.names:
            part["ExpressionAttributeNames"] = made.names
        if self._chance(0.3):
            part["ConsistentRead"] = True
        table = "Nothing" if self._chance(0.03) else TABLE
        document: dict[str, Any] = {"RequestItems": {table: part}}
        if self._chance(0.4):
            document["ReturnConsumedCapacity"] = self.random.choice(["INDEXES", "TOTAL"])
        return document

    def _batch_write(self) -> dict[str, Any]:
        requests: list[dict[str, Any]] = []
        for key in self._keys(5):
            if self._chance(0.3):
                requests.append({"DeleteRequest": {"Key": key}})
            else:
                requests.append({"PutRequest": {"Item": self._item() if self._chance(0.1) else self._item() | key}})
        document: dict[str, Any] = {"RequestItems": {TABLE: requests}}
        if self._chance(0.4):
            document["ReturnConsumedCapacity"] = self.random.choice(["INDEXES", "TOTAL"])
        return document

    def _transact_get(self) -> dict[str, Any]:
        elements = []
        for key in self._keys(4):
            made, get = self._expressions(), {"TableName": TABLE, "Key": key}
            self._projected(get, made)
            made.given(get)
            elements.append({"Get": get})
        return self._common({"TransactItems": elements}, write=True)

    def _transact_write(self) -> dict[str, Any]:
        elements: list[dict[str, Any]] = []
        for key in self._keys(4):
            made = self._expressions()
            kind = self.random.choice(["Put", "Delete", "Update", "Update", "ConditionCheck"])
            element: dict[str, Any] = {"TableName": TABLE}
            if kind == "Put":
                element["Item"] = self._item() | key
            else:
                element["Key"] = key
            if kind == "Update":
                element["UpdateExpression"] = made.update()
            if kind == "ConditionCheck" or self._chance(0.4):
                element["ConditionExpression"] = made.condition()
            if self._chance(0.2):
                element["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
            made.given(element)
            elements.append({kind: element})
        return self._common({"TransactItems": elements}, write=True)

    def _statement(self) -> dict[str, Any]:
        document = {"Statement": statement(self.random, TABLE)}
        parameters = document["Statement"].count("?")
        if parameters:
            document["Parameters"] = [self.values.scalar(self.random.choice("SN")) for _ in range(parameters)]
        return document

    def _spoiled(self, document: dict[str, Any]) -> dict[str, Any]:
        """One member somewhere inside exchanged for junk, taken away, or a strange one added."""
        document = deepcopy(document)
        at: Any = document
        while True:
            inner = [
                part
                for part in (at.values() if isinstance(at, dict) else at)
                if isinstance(part, (dict, list)) and part
            ]
            if not inner or self._chance(0.4):
                break
            at = self.random.choice(inner)
        places = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not places:
            return document
        place = self.random.choice(places)
        kind = self.random.randrange(4)
        if kind == 0:
            del at[place]
        elif kind == 1 and isinstance(at, dict):
            at["Strange"] = self.random.choice(JUNK)
        else:
            at[place] = self.random.choice(JUNK)
        return document
