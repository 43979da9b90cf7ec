"""`python -m tests.differential`: random operations to Trine and to DynamoDB Local, differences told and counted."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from benchmarks.process import Process, free_port
from tests.differential import oracle
from tests.differential.differences import READS, difference, state_difference
from tests.differential.drawing import DEFINITION, KEYS, TABLE, Drawing
from tests.differential.exchange import Server
from tests.differential.known import KNOWN


def main() -> int:
    """Exit status: 0 nothing unknown differs, 1 something does, 2 Java or Maven is missing."""
    options = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    options.add_argument("--operations", type=int, default=5000, help="how many (5000)")
    options.add_argument("--seed", type=int, default=1, help="which run (1)")
    options.add_argument("--show", type=int, default=20, help="how many unknown differences to print in full (20)")
    options.add_argument("--cache", type=Path, default=oracle.cache_folder(), help="where DynamoDB Local is kept")
    given = options.parse_args()
    try:
        library = oracle.installed(given.cache)
    except oracle.Missing as missing:
        print(missing, file=sys.stderr)
        return 2
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours, theirs = free_port(), free_port()
        trine = [str(Path(sys.executable).with_name("trine")), "dynamodb", "--port", str(ours)]
        commands = {
            ours: [*trine, "--memory", "--soft", "--state", str(scratch / "state")],
            theirs: oracle.command(library, theirs),
        }
        for port, command in commands.items():
            process = Process(command, scratch / f"{port}.log", {}, scratch)
            stack.callback(process.stop)
            process.wait_until_ready(port)
        servers = Server(ours), Server(theirs)
        for server in servers:
            stack.callback(server.close)
        return _run(servers, given.seed, given.operations, given.show)


def _run(servers: tuple[Server, Server], seed: int, operations: int, show: int) -> int:
    drawing = Drawing(seed)
    known: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    for server in servers:
        made = server.call("CreateTable", DEFINITION)
        assert not made.error, made.text
    for _ in range(operations):
        operation, document = drawing.operation()
        body = json.dumps(document).encode()
        ours, theirs = (server.send(operation, body) for server in servers)
        outcomes["refused" if ours.error else "done"] += 1
        found = difference(operation, document, ours, theirs)
        if found is None and not ours.error and operation not in READS:
            tables = [server.call("Scan", {"TableName": TABLE, "ConsistentRead": True}) for server in servers]
            found = state_difference(operation, tables)
            if found is not None:
                ours, theirs = tables
        if found is None:
            continue
        if found.known is not None:
            known[found.known.name] += 1
        else:
            unknown[f"{operation} {found.what}"] += 1
            if sum(unknown.values()) <= show:
                print(f"--- {operation} {found.what}\n{json.dumps(document, ensure_ascii=False)}")
                print(f"  trine: {ours.text[:1500]}\n  local: {theirs.text[:1500]}")
        if found.diverges:
            _start_over(servers)
    told = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
    print(f"{operations} operations, seed {seed}: {told}")
    print(f"{sum(known.values())} known differences, {sum(unknown.values())} unknown")
    for name, count in known.most_common():
        print(f"  {count:5} {name}: {next(entry.reason for entry in KNOWN if entry.name == name)}")
    for name, count in unknown.most_common():
        print(f"  {count:5} UNKNOWN {name}")
    return 1 if unknown else 0


def _start_over(servers: tuple[Server, Server]) -> None:
    """Empty both tables: one has taken what the other refused."""
    deletes = [{"DeleteRequest": {"Key": key}} for key in KEYS]
    for server in servers:
        server.call("BatchWriteItem", {"RequestItems": {TABLE: deletes}})
        for item in server.call("Scan", {"TableName": TABLE, "ConsistentRead": True}).document["Items"]:
            server.call("DeleteItem", {"TableName": TABLE, "Key": {"p": item["p"], "s": item["s"]}})


if __name__ == "__main__":
    sys.exit(main())
