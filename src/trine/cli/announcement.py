"""What `trine up` prints when it is ready: addresses, routes, functions, tables, manifest. Text from values, nothing
else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from trine.cli.waterfall import printable


def lines(description: Mapping[str, Any], *, with_manifest: bool) -> Iterator[str]:
    """The announcement of a running stack, from its description."""
    yield f"Trine · {printable(description['stackName'])} · {printable(description['template'])}"
    yield ""
    yield f"  Front door   {description['frontUrl']}/"
    yield f'  AWS          {description["awsUrl"]}   (all services; eval "$(trine env)")'
    yield f"  DynamoDB     {description['dynamodbUrl']}"
    if "consoleUrl" in description:
        yield f"  Console      {description['consoleUrl']}   (opens once; then `trine console`)"
    yield ""
    yield from _apis(description["apis"], description["frontUrl"] + "/")
    for problem in description["problems"]:
        first, *rest = problem.split("\n")
        yield f"! {printable(first, 400)}"
        yield from (printable(line, 400) for line in rest)
    if description["functions"]:
        yield "Functions"
        yield from _table(
            [(f["logicalId"], f["runtime"], f"{f['memoryMb']} MB", f"{f['timeoutSeconds']} s", f["handler"])
             for f in description["functions"]]
        )  # fmt: skip
        yield _isolation(description["isolation"], known=description["isolationIsKnown"])
        yield ""
    if description["functionUrls"]:
        yield "Function URLs"
        for url in description["functionUrls"]:
            name = url["function"] + (f":{url['qualifier']}" if url["qualifier"] else "")
            notes = [note for note in (url["authorization"], url["invokeMode"]) if note not in ("NONE", "BUFFERED")]
            yield f"  {printable(name)}  {' '.join(notes)}".rstrip()
            yield f"    {url['url']}   or   {url['pathUrl']}"
        yield ""
    if description["tables"]:
        yield "Tables"
        tables = description["tables"]
        yield from _table([(table["name"], ", ".join(table["keys"]), _indexes(table)) for table in tables])
        yield ""
    if description["queues"]:
        yield "Queues"
        yield from _table([(queue["name"], queue["url"]) for queue in description["queues"]])
        yield ""
    if description["sources"]:
        yield "Events"
        yield from _table([(source["source"], "→", ", ".join(source["targets"])) for source in description["sources"]])
        yield ""
    if description["outputs"]:
        yield "Outputs"
        yield from _table(
            [(output["name"], str(output.get("localUrl", output["value"]))) for output in description["outputs"]]
        )
        yield ""
    if with_manifest:
        yield from _manifest(description["manifest"])
    if description["enforcement"] == "soft":
        yield "SOFT MODE: what AWS would refuse is reported and let through."
    else:
        yield "Enforcement is on: signatures, roles and permissions are checked on every hop."
    if not description["throttling"]:
        yield "NO THROTTLING: tables count capacity units and refuse nothing."
    yield _durability(description)
    yield "Ready. Ctrl-C ends it."


def _isolation(layers: Mapping[str, Any], *, known: bool) -> str:
    if not known:
        return "  How they are kept apart is known once their interpreter is ready: `trine console`, page Manifest."
    found = ["process groups", *(name for name in ("namespaces", "landlock", "seccomp") if layers.get(name))]
    groups = layers.get("controlGroups", ())
    if groups:
        found.append(f"control groups ({', '.join(groups)})")
    if "cpu" not in groups:
        shares = "MemorySize limits memory, not CPU: this server may make no control groups for it"
    elif layers.get("cpuLimits"):
        shares = "MemorySize limits memory and CPU, as on AWS"
    else:
        shares = "MemorySize limits memory, and divides the CPU where it is short (--cpu-limits: always)"
    return f"  Kept apart by: {', '.join(found)}. {shares}."


def _indexes(table: Mapping[str, Any]) -> str:
    return "; ".join(f"{name}: {', '.join(keys)}" for name, keys in table["indexes"].items())


def _durability(description: Mapping[str, Any]) -> str:
    if description["durable"]:
        return f"Acknowledged writes are on disk: {printable(description['stateDirectory'])}"
    return "In memory only (--memory): no data is left when it ends."


def _apis(apis: Sequence[Mapping[str, Any]], root: str) -> Iterator[str]:
    for api in apis:
        also = "  (also at the front door's root)" if api["url"] == root else ""
        yield f"{api['kind']} API {printable(api['name'])} [{api['id']}]{also}"
        for stage in api["stages"]:
            yield f"  {stage['url']}   or   {stage['pathUrl']}"
        yield from _table(
            [
                (route["method"] if route["path"] != "$default" else "", route["path"], "→",
                 route["function"] or route["integration"],
                 "" if route["authorization"] == "NONE" else route["authorization"])
                for route in api["routes"]
            ]
        )  # fmt: skip
        yield ""
    if not apis:
        yield "No API in this template."
        yield ""


def _manifest(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "Fidelity: what becomes of each property of the template"
    for (logical_id, kind), group in groupby(rows, key=lambda row: (row["logicalId"], row["type"])):
        yield f"  {printable(logical_id)} ({printable(kind)})"
        found = list(group)
        for fidelity in ("enforced", "stored", "ignored"):
            names = [row["property"] or "everything" for row in found if row["fidelity"] == fidelity]
            if names:
                yield f"    {fidelity:<9}{printable(', '.join(names), 1000)}"
        for remark in dict.fromkeys(row["remark"] for row in found if row["remark"]):
            yield f"    note     {printable(remark, 400)}"
    yield ""


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows with columns as wide as their widest cell, indented by two."""
    shown = [[printable(str(cell)) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in shown) for column in range(len(shown[0]))] if shown else []
    for row in shown:
        yield ("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()
