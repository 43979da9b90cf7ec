"""Advice on the code of functions: keys written into it, scans in a request path, state kept in globals.

Enters a template whose functions lie in local folders; leaves faults of level "warning" with file and line. Python is
read as a syntax tree, other text by patterns; nothing of it is run. Libraries that lie beside the code are passed over.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from trine.cloudformation.faults import Fault
from trine.cloudformation.template import Template

FILES_MAX = 500
"""Files of one function that are read; more are libraries."""
FILE_MAX_BYTES = 512 * 1024
_TEXTS = frozenset({".py", ".js", ".mjs", ".cjs", ".ts", ".json", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".env"})
_PASSED_OVER = frozenset({"node_modules", "__pycache__", "tests", "test", "site-packages", "dist", "build", "python"})
_ACCESS_KEY = re.compile(r"(?<![A-Z0-9])(AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])")
_EXAMPLE_KEYS = re.compile(r"AKIA\w*EXAMPLE")
_SCRIPT_SCAN = re.compile(r"\bScanCommand\s*\(|\.scan\s*\(")
_CONTAINERS = frozenset({"dict", "list", "set", "defaultdict", "deque", "OrderedDict", "Counter"})
_CHANGES = frozenset({"append", "add", "update", "extend", "insert", "setdefault", "pop", "popitem", "remove", "clear",
                      "appendleft", "discard"})  # fmt: skip


def advise_on_code(template: Template) -> Iterator[Fault]:
    """Every piece of advice on the code of the template's functions; each file is judged once."""
    behind_doors = _behind_doors(template)
    judged: set[tuple[Path, bool]] = set()
    for function in template.of_type("AWS::Lambda::Function"):
        folder = function.local_files.get("Code")
        if folder is None or not folder.is_dir():
            continue
        in_request_path = function.physical_id in behind_doors
        for file in _files(folder):
            if (file, in_request_path) in judged or (file, True) in judged:
                continue
            judged.add((file, in_request_path))
            yield from _judge(file, function.source_id, in_request_path=in_request_path)


def _behind_doors(template: Template) -> set[str]:
    """The functions that an API may invoke, by name."""
    arns = {str(one.attributes.get("Arn")): one.physical_id for one in template.of_type("AWS::Lambda::Function")}
    found = set()
    for permission in template.of_type("AWS::Lambda::Permission"):
        if str(permission.properties.get("Principal")).startswith("apigateway."):
            named = str(permission.properties.get("FunctionName"))
            found.add(arns.get(named, named))
    return found


def _files(folder: Path) -> Iterator[Path]:
    """The function's own files, in order; folders of installed packages are told by their metadata."""
    count = 0
    waiting = [folder]
    while waiting and count < FILES_MAX:
        here = waiting.pop(0)
        try:
            entries = sorted(here.iterdir())
        except OSError:
            continue
        installed = {entry.name.split("-")[0].lower() for entry in entries if entry.name.endswith(".dist-info")}
        for entry in entries:
            if entry.is_symlink() or entry.name.startswith("."):
                continue
            if entry.is_dir():
                if entry.name not in _PASSED_OVER and entry.name.lower() not in installed:
                    waiting.append(entry)
            elif entry.suffix in _TEXTS and entry.stat().st_size <= FILE_MAX_BYTES and count < FILES_MAX:
                count += 1
                yield entry


def _judge(file: Path, function: str, *, in_request_path: bool) -> Iterator[Fault]:
    text = file.read_text("utf-8", "replace")
    for number, line in enumerate(text.splitlines(), start=1):
        found = _ACCESS_KEY.search(line)
        if found is not None and not _EXAMPLE_KEYS.search(line):
            yield _advice(
                file, number, found.start() + 1, "lambda/secret-in-code", "an access key stands in the code",
                "take it out and revoke it; the execution role gives a function its credentials",
            )  # fmt: skip
        if in_request_path and file.suffix in (".js", ".mjs", ".cjs", ".ts") and _SCRIPT_SCAN.search(line):
            yield _scan(file, number, 1, function)
    if file.suffix == ".py":
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            return  # the function itself will say so, in AWS's words
        if in_request_path:
            yield from _scans(tree, file, function)
        yield from _state_in_globals(tree, file)


def _advice(file: Path, line: int, column: int, rule: str, why: str, instead: str) -> Fault:
    return Fault(str(file), line, column, why, instead, rule, "warning")


def _scan(file: Path, line: int, column: int, function: str) -> Fault:
    why = f"{function} scans a table while somebody waits: a Scan reads, and bills, everything there is"
    instead = "use Query on the key, or give the table an index for this question"
    return _advice(file, line, column, "dynamodb/scan-in-request-path", why, instead)


def _scans(tree: ast.Module, file: Path, function: str) -> Iterator[Fault]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            by_name = isinstance(called, ast.Attribute) and called.attr == "scan"
            paginated = (
                isinstance(called, ast.Attribute)
                and called.attr == "get_paginator"
                and any(isinstance(given, ast.Constant) and given.value == "scan" for given in node.args)
            )
            if by_name or paginated:
                yield _scan(file, node.lineno, node.col_offset + 1, function)


def _state_in_globals(tree: ast.Module, file: Path) -> Iterator[Fault]:
    """Containers and counters of a module that functions change. Names that say `cache` are believed."""
    held = _module_containers(tree)
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        local = _local_names(function)
        counted = {name for node in ast.walk(function) if isinstance(node, ast.Global) for name in node.names}
        for node in ast.walk(function):
            name = _changed_name(node, counted)
            if name is None or "cache" in name.lower() or (name not in counted and (name in local or name not in held)):
                continue
            why = f"{name} is a global that a call changes: it lives in one warm environment only, and dies with it"
            instead = "keep it in the table; a global is good for clients and for what can be made again"
            line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
            yield _advice(file, line, column, "lambda/state-in-globals", why, instead)


def _module_containers(tree: ast.Module) -> set[str]:
    held = set()
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = getattr(node, "value", None)
        is_container = isinstance(value, ast.Dict | ast.List | ast.Set) or (
            isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in _CONTAINERS
        )
        if is_container:
            held |= {target.id for target in targets if isinstance(target, ast.Name)}
    return held


def _local_names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Names that the function binds itself: its parameters and what it assigns."""
    arguments = function.args
    names = {one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    names |= {one.arg for one in (arguments.vararg, arguments.kwarg) if one is not None}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def _changed_name(node: ast.AST, counted: set[str]) -> str | None:
    """The name whose object `node` changes: by a method, by an item, or (of a declared global) by `+=`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGES:
        holder: ast.expr = node.func.value
        return holder.id if isinstance(holder, ast.Name) else None
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
        return node.value.id if isinstance(node.value, ast.Name) else None
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id in counted:
        return node.target.id
    return None
