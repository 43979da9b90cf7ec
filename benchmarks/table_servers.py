"""The table servers: how each one is started, and Trine's caller, a role with exactly the actions it needs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import boto3

from benchmarks.data import TABLE, create_table, load_items
from benchmarks.installing import Cache
from benchmarks.process import TRINE, Process, free_port
from benchmarks.signing import Key, Signer
from benchmarks.wire import Wire

REPOSITORY = Path(__file__).resolve().parent.parent

ACTIONS = (
    "CreateTable", "DescribeTable", "GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem",
    "BatchGetItem", "BatchWriteItem",
)  # fmt: skip


@dataclass(frozen=True)
class Started:
    """A command line with what it needs around it."""

    command: list[str]
    environment: dict[str, str]
    ready_path: str = "/"


def trine_table(*options: str, program: Sequence[str] = TRINE) -> Callable[[Cache, int, Path], Started]:
    """Trine's table server with these options; `program` is what stands for the command `trine`."""

    def start(_cache: Cache, port: int, directory: Path) -> Started:
        command = [*program, "dynamodb", "--port", str(port), "--state", str(directory / "state"), *options]
        # A new on-demand table takes 4,000 writes a second, as on AWS; no peer here refuses any.
        return Started([*command, "--no-throttling"], {})

    return start


def _dynoxide(*, on_disk: bool) -> Callable[[Cache, int, Path], Started]:
    def start(cache: Cache, port: int, directory: Path) -> Started:
        program = cache.npm_directory("dynoxide") / "node_modules/@dynoxide/linux-x64/dynoxide"
        options = ["--db-path", str(directory / "table.db")] if on_disk else []
        return Started([str(program), "serve", "-p", str(port), *options], {})

    return start


def _dynalite(*, on_disk: bool) -> Callable[[Cache, int, Path], Started]:
    def start(cache: Cache, port: int, directory: Path) -> Started:
        program = cache.npm_directory("dynalite") / "node_modules/.bin/dynalite"
        options = ["--path", str(directory / "level")] if on_disk else []
        return Started([str(program), "--host", "127.0.0.1", "--port", str(port), "--createTableMs", "0", *options], {})

    return start


def _ministack(cache: Cache, port: int, _directory: Path) -> Started:
    environment = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "PERSIST_STATE": "0"}
    return Started([str(cache.python("ministack").with_name("ministack"))], environment, "/_ministack/health")


def _moto(cache: Cache, port: int, _directory: Path) -> Started:
    program = cache.python("moto").with_name("moto_server")
    return Started([str(program), "-H", "127.0.0.1", "-p", str(port)], {}, "/moto-api/data.json")


def _echo(_cache: Cache, port: int, _directory: Path) -> Started:
    return Started([sys.executable, "-m", "benchmarks.echo_server", str(port)], {"PYTHONPATH": str(REPOSITORY)})


ECHO = "bare echo"
"""Not a peer: Trine's HTTP server with nothing behind it."""

Start = Callable[[Cache, int, Path], Started]
SERVERS: dict[str, Start] = {
    "Trine": trine_table(),
    "Trine, memory": trine_table("--memory"),
    "dynoxide, memory": _dynoxide(on_disk=False),
    "dynoxide, SQLite": _dynoxide(on_disk=True),
    "dynalite, memory": _dynalite(on_disk=False),
    "dynalite, LevelDB": _dynalite(on_disk=True),
    "ministack": _ministack,
    "moto": _moto,
    ECHO: _echo,
}


class TableServer:
    """One table server, running, with the table in it."""

    def __init__(self, name: str, cache: Cache, directory: Path, start: Start | None = None) -> None:
        """Start it, as `SERVERS` says or by `start`. Raises NotInstalled, NotReady, RuntimeError."""
        self.name = name
        self.port = free_port()
        directory.mkdir(parents=True, exist_ok=True)
        started = (start or SERVERS[name])(cache, self.port, directory)
        self.process = Process(started.command, directory / "log", started.environment, directory)
        try:
            self.ready_seconds = self.process.wait_until_ready(self.port, started.ready_path)
            self.idle_mib = self.process.memory_mib()
            self.key = _role_key(self.port, directory / "state") if name.startswith("Trine") else None
        except BaseException:
            self.process.stop()
            raise

    def fill(self, signer: Signer) -> None:
        """Make the table and write the items."""
        if self.name == ECHO:
            return
        with Wire(self.port) as wire:
            create_table(wire, signer, self.port)
            load_items(wire, signer, self.port)


def _role_key(port: int, state: Path) -> Key:
    """Temporary credentials of a role that may do what the benchmark does, and nothing else."""
    printed = subprocess.run(
        [*TRINE, "env", "--state", str(state), "--json"], capture_output=True, check=True, timeout=30
    )
    owner = json.loads(printed.stdout)
    options = {
        "endpoint_url": f"http://127.0.0.1:{port}",
        "region_name": owner["AWS_REGION"],
        "aws_access_key_id": owner["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": owner["AWS_SECRET_ACCESS_KEY"],
    }
    iam, sts = boto3.client("iam", **options), boto3.client("sts", **options)
    account = sts.get_caller_identity()["Account"]
    trust = _policy("sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{account}:root"})
    role = iam.create_role(RoleName="benchmark", AssumeRolePolicyDocument=trust)["Role"]
    table = f"arn:aws:dynamodb:{owner['AWS_REGION']}:{account}:table/{TABLE}"
    allowed = _policy([f"dynamodb:{action}" for action in ACTIONS], Resource=table)
    iam.put_role_policy(RoleName="benchmark", PolicyName="table", PolicyDocument=allowed)
    found = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="benchmark")["Credentials"]
    return Key(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])


def _policy(action: str | list[str], **rest: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **rest}]})
