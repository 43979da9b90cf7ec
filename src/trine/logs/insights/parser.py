"""Queries of Logs Insights: from text to commands. Pure.

Enters the query, leaves its commands; MalformedQuery says what was not understood, and where. Source: user guide,
"CloudWatch Logs Insights language query syntax".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from trine.aws.patterns import Pattern, PatternRefused
from trine.logs.insights import command as commands
from trine.logs.insights.command import Command, Named
from trine.logs.insights.expression import Expressions, regex_of
from trine.logs.insights.token import malformed, tokens_of
from trine.logs.insights.value import Value

QUERY_CHARACTERS = 10_000
"""API reference, StartQuery: queryString of at most 10,000 characters."""
LIMIT_MAX_COUNT = 10_000
ITEMS_MAX_COUNT = 200
NOT_BUILT = ("anomaly", "diff", "filterindex", "join", "lookup", "pattern", "source", "subquery", "unmask", "unnest")
"""Commands that AWS has and that are not built here."""


def parse_query(query: str, now_ms: int) -> list[Command]:
    """The commands of a query that is asked at `now_ms`. MalformedQuery."""
    if len(query) > QUERY_CHARACTERS:
        raise malformed(f"a query has at most {QUERY_CHARACTERS} characters", 0, len(query))
    reader = _Reader(tokens_of(query), query, now_ms)
    found: list[Command] = []
    reader.passes("|")
    while True:
        found.append(reader.command())
        if not reader.passes("|"):
            break
    if reader.next.kind != "end":
        raise reader.unexpected("| or the end of the query")
    return found


class _Reader(Expressions):
    def command(self) -> Command:
        token = self.next
        name = token.text.lower() if token.kind == "name" else ""
        read: Mapping[str, Callable[[], Command]] = {
            "fields": lambda: commands.Fields(self._named()),
            "display": lambda: commands.Display(self._named()),
            "filter": lambda: commands.Filter(self.expression()),
            "where": lambda: commands.Filter(self.expression()),
            "parse": self._parse,
            "stats": self._stats,
            "sort": self._sort,
            "limit": self._limit,
            "head": self._limit,
            "dedup": lambda: commands.Dedup([one.evaluate for one in self._named()]),
        }
        if name in NOT_BUILT:
            raise malformed(f"the command {name} is not built here", token.start, token.stop)
        if name not in read:
            raise self.unexpected(f"a command: {', '.join(read)}")
        self.take()
        return read[name]()

    def _named(self) -> list[Named]:
        """Expressions with their names, between commas."""
        found = [self._one_named()]
        while self.passes(","):
            found.append(self._one_named())
        if len(found) > ITEMS_MAX_COUNT:
            raise malformed(f"at most {ITEMS_MAX_COUNT} fields", self.next.start, self.next.stop)
        return found

    def _one_named(self) -> Named:
        first = self.at
        alone = self.next.kind in ("name", "quoted")
        evaluate = self.expression()
        alone = alone and self.at == first + 1
        name = self._tokens[first].text if alone else self.text_since(first)
        if self.passes("as"):
            return Named(self.field_name(), evaluate, plain=False)
        return Named(name, evaluate, plain=alone)

    def _parse(self) -> Command:
        source = self.expression() if self.next.kind in ("name", "quoted") else None
        token = self.take()
        if token.kind == "regex":
            pattern = regex_of(token)
            groups = pattern.group_names
            if not groups:
                raise malformed("the regular expression names no group: (?<name>…)", token.start, token.stop)
            return commands.Parse(source or _message, _by_regex(pattern), groups)
        if token.kind != "text":
            self.at -= token.kind != "end"
            raise self.unexpected('a pattern: "user=*" as user, or /(?<user>…)/')
        self.expect("as")
        names = [self.field_name()]
        while self.passes(","):
            names.append(self.field_name())
        if token.text.count("*") != len(names):
            raise malformed(
                f"the pattern has {token.text.count('*')} stars for {len(names)} names", token.start, token.stop
            )
        return commands.Parse(source or _message, _by_stars(token.text, names), names)

    def _stats(self) -> Command:
        self.sums = []
        named = self._named()
        sums, self.sums = self.sums, None
        if not sums:
            raise self.unexpected("an aggregate such as count(*)")
        return commands.Stats(named, sums, self._named() if self.passes("by") else ())

    def _sort(self) -> Command:
        keys = []
        while True:
            key = self.expression()
            down = self.passes("desc")
            if not down:
                self.passes("asc")
            keys.append((key, down))
            if not self.passes(","):
                return commands.Sort(keys)

    def _limit(self) -> Command:
        token = self.take()
        count = int(token.text) if token.kind == "number" and token.text.isdecimal() and len(token.text) < 9 else 0
        if not 1 <= count <= LIMIT_MAX_COUNT:
            raise malformed(
                f"a limit is between 1 and {LIMIT_MAX_COUNT}", token.start, max(token.stop, token.start + 1)
            )
        return commands.Limit(count)


def _message(row: commands.Row) -> Value:
    return row.get("@message")


def _by_regex(pattern: Pattern) -> Callable[[str], Mapping[str, str] | None]:
    def cut(given: str) -> Mapping[str, str] | None:
        try:
            return pattern.named_groups(given)
        except PatternRefused:
            return None

    return cut


def _by_stars(glob: str, names: Sequence[str]) -> Callable[[str], Mapping[str, str] | None]:
    """Each star is what lies between the texts around it, the last one the rest when nothing follows."""
    first, *between = glob.split("*")

    def cut(given: str) -> Mapping[str, str] | None:
        at = given.find(first)
        if at < 0:
            return None
        at += len(first)
        found: dict[str, str] = {}
        for place, (name, behind) in enumerate(zip(names, between, strict=True)):
            last = place == len(names) - 1
            stop = len(given) if last and not behind else given.find(behind, at)
            if stop < 0:
                return None
            found[name] = given[at:stop]
            at = stop + len(behind)
        return found

    return cut
