"""Random PartiQL statements over the fuzzed table."""

from __future__ import annotations

from random import Random


def _value(random: Random) -> str:
    return random.choice(
        ["1", "-3", "'a'", "'x'", "2.50", "true", "null", "?", "[1, 'a']", "{'a': 1}", "<<1, 2>>", "<<'a'>>"]
    )


def _key(random: Random) -> str:
    return f"p = '{random.choice(['a', 'b', 'é'])}' AND s = {random.choice(['1', '2', '-3', '10.5'])}"


def _test(random: Random) -> str:
    path = random.choice(["v", "w", "x", "m", "m.a", "l1[0]", "g", "h", "l"])
    return random.choice(
        [
            f"{path} {random.choice(['=', '<>', '<', '>', '>=', '<='])} {_value(random)}",
            f"{path} IS {random.choice(['MISSING', 'NOT MISSING', 'NULL', 'NOT NULL'])}",
            f"begins_with({path}, 'a')",
            f"contains({path}, 'a')",
            f"attribute_type({path}, 'N')",
            f"size({path}) > 1",
            f"{path} IN [{_value(random)}, {_value(random)}]",
            f"{path} BETWEEN 1 AND 5",
            f"NOT {path} = {_value(random)}",
        ]
    )


def statement(random: Random, table: str) -> str:
    """One statement, mostly right."""
    kind = random.randrange(10)
    name = f'"{table}"'
    if kind < 4:
        source = random.choice([name, name, f'{name}."by-l"'])
        projection = random.choice(["*", "p, s", "v", "v, m.a", "l1[0]"])
        where = random.choice([_key(random), "p = 'a'", "p = 'a' AND s > 1", "p IN ['a', 'b']", _test(random)])
        more = f" AND {_test(random)}" if random.random() < 0.3 else ""
        return f"SELECT {projection} FROM {source} WHERE {where}{more}"
    if kind < 6:
        p, s = random.choice(["a", "b"]), random.choice(["1", "2"])
        return f"INSERT INTO {name} VALUE {{'p': '{p}', 's': {s}, 'v': {_value(random)}}}"
    if kind < 8:
        change = random.choice(
            [f"SET v = {_value(random)}", "REMOVE v", "SET v = v + 1", f"SET w = {_value(random)} REMOVE v",
             "SET l1 = list_append(l1, [1])", "SET m.a = 1"]
        )  # fmt: skip
        returning = random.choice(["", "", " RETURNING ALL NEW *", " RETURNING ALL OLD *", " RETURNING MODIFIED NEW *"])
        more = f" AND {_test(random)}" if random.random() < 0.3 else ""
        return f"UPDATE {name} {change} WHERE {_key(random)}{more}{returning}"
    if kind == 8:
        return f"DELETE FROM {name} WHERE {_key(random)}{random.choice(['', ' RETURNING ALL OLD *'])}"
    return random.choice(
        [
            f"SELECT FROM {name}",
            f"SELECT * FROM {name} WHERE",
            "DROP TABLE a",
            f"UPDATE {name} SET v = 1 WHERE p = 'a'",
            "",
        ]
    )
