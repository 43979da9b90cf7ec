"""Who are you, may you: processor time of signature, credential and policy on a hot call, without a server around them.

Requests are parsed beforehand; each is authenticated and authorized as the table's corridor does it. The best of many
short rounds counts: what is measured is this code and not its neighbours on the machine.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence

from benchmarks.scenarios import get_item
from benchmarks.signing import Key, Signer
from trine.aws.arn import Place
from trine.aws.ids import SystemIds
from trine.clock import SystemClock
from trine.http.limits import Limits
from trine.http.message import Request
from trine.http.protocol import RequestParser
from trine.iam.access import Access
from trine.iam.principal import Session

REQUESTS = 500
ROUNDS = 60
ROLES = 1_000
STATEMENTS = 10
ACTION = "dynamodb:GetItem"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}],
}
HOT_GOAL_MICROSECONDS = 8.0
LEADING_KEYS_GOAL_MICROSECONDS = 20.0
ROLES_GOAL_RATIO = 1.1


class Account:
    """One account whose roles call one table."""

    def __init__(self) -> None:
        self.place = Place()
        self.access = Access(SystemClock(), SystemIds(), place=self.place)
        self.table = self.place.table("Orders")

    def role(self, name: str, condition: Mapping[str, object] | None = None, statements: int = 1) -> Session:
        """Credentials of a new role that may read the table by the last of its statements."""
        others = [
            {"Effect": "Allow", "Action": f"dynamodb:Get{number}*", "Resource": self.place.table(f"Other{number}")}
            for number in range(statements - 1)
        ]
        last = {"Effect": "Allow", "Action": ACTION, "Resource": self.table, "Condition": condition or {}}
        document = {"Version": "2012-10-17", "Statement": [*others, last]}
        arn = self.access.put_role(
            {
                "RoleName": name,
                "AssumeRolePolicyDocument": TRUST,
                "Policies": [{"PolicyName": "table", "PolicyDocument": document}],
            }
        )
        return self.access.assume_role_for_service(arn, "benchmark", "lambda.amazonaws.com")

    def requests(self, sessions: Sequence[Session]) -> list[Request]:
        """GetItem requests, each signed by one of `sessions`, in turns."""
        source = random.Random(1)
        signers = [
            Signer(
                Key(session.access_key_id, session.secret_access_key, session.session_token), region=self.place.region
            )
            for session in sessions
        ]
        return [
            parsed(signers[index % len(signers)].request(get_item.make(source, index), 8000))
            for index in range(max(REQUESTS, len(sessions)))
        ]

    def call(self, request: Request) -> None:
        """What the table's corridor asks of identity."""
        access = self.access
        caller = access.authenticate(request, "dynamodb")
        if (ACTION, self.table, None) in caller.settled:
            return
        context = {"dynamodb:LeadingKeys": ["customer#00001"]} if caller.needs(ACTION, self.table) else None
        access.authorize(caller, ACTION, self.table, context)


def parsed(data: bytes) -> Request:
    """The request in `data`, as the server hands it on."""
    found: list[Request] = []
    parser = RequestParser(Limits(), lambda request, keep_alive: found.append(request), _nothing, ("127.0.0.1", 1))
    parser.feed(data)
    return found[0]


def _nothing() -> None:
    raise AssertionError("no request here waits for `100 Continue`")


Case = tuple[Account, Sequence[Request]]


def best_microseconds(cases: Sequence[Case]) -> list[float]:
    """Processor time of one call in each case's best round; the cases take turns."""
    best = [float("inf")] * len(cases)
    for _ in range(ROUNDS):
        for place, (account, requests) in enumerate(cases):
            since = time.thread_time()
            for request in requests:
                account.call(request)
            best[place] = min(best[place], (time.thread_time() - since) / len(requests) * 1e6)
    return best


def run() -> str:
    """The rows as a Markdown table."""
    small, large = Account(), Account()
    role = small.role("plain", statements=STATEMENTS)
    limited = small.role("limited", {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["customer#*"]}})
    crowd = [large.role(f"role{number}", statements=STATEMENTS) for number in range(ROLES)]
    hot, with_condition, among_many, in_turns = best_microseconds(
        [
            (small, small.requests([role])),
            (small, small.requests([limited])),
            (large, large.requests([crowd[ROLES // 2]])),
            (large, large.requests(crowd)),
        ]
    )
    rows = [
        ("signature, credential and policy of a hot GetItem", hot, HOT_GOAL_MICROSECONDS),
        ("the same with a condition on `dynamodb:LeadingKeys`", with_condition, LEADING_KEYS_GOAL_MICROSECONDS),
        (f"the hot call among {ROLES:,} roles of {STATEMENTS} statements", among_many, hot * ROLES_GOAL_RATIO),
        (f"callers in turns, one for each of {ROLES:,} roles", in_turns, None),
    ]
    lines = ["| | processor time | goal |", "|---|---|---|"]
    for title, found, goal in rows:
        mark = "" if goal is None else f"≤ {goal:.1f} µs: {'reached' if found <= goal else '**missed**'}"
        lines.append(f"| {title} | {found:.1f} µs | {mark} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(run())
