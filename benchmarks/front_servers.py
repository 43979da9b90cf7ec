"""The front doors: one application, started under Trine and under what else runs it on one machine."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import boto3

from benchmarks.installing import Cache, NotInstalled
from benchmarks.process import TRINE, NotReady, Process, answers, free_port

APPLICATION = Path(__file__).with_name("application")
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
NODE_RUNTIME = "nodejs20.x"
USERS = 100
FLOOR_CLIENTS = 2
ANYONE = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "secret"}


DEPLOYED = (
    ("hello", RUNTIME, "/hello"),
    ("hello_node", NODE_RUNTIME, "/hello-node"),
    ("users", RUNTIME, "/users/{id}"),
)
"""Functions by module, runtime and path, for servers that take no template."""


def fill_users(client: Any) -> None:
    """Write the users that the application reads."""
    for number in range(USERS):
        client.put_item(TableName="Users", Item={"id": {"S": f"u{number}"}, "name": {"S": f"Name {number}"}})


def make_users_table(client: Any) -> None:
    client.create_table(
        TableName="Users",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    client.get_waiter("table_exists").wait(TableName="Users", WaiterConfig={"Delay": 1, "MaxAttempts": 20})


def dynamodb(url: str, **key: str) -> Any:
    return boto3.client("dynamodb", endpoint_url=url, region_name="us-east-1", **(key or ANYONE))


class FrontServer(ABC):
    """One front door, running, with its functions and its table."""

    name: str

    def __init__(self, cache: Cache, directory: Path) -> None:
        """Start it and write the users, calling no function. Raises NotInstalled, NotReady."""
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.processes: list[Process] = []
        self.ready_seconds = 0.0
        try:
            self.start(cache, directory)
        except BaseException:
            self.stop()
            raise
        self.idle_mib = self.processes[0].memory_mib()

    @abstractmethod
    def start(self, cache: Cache, directory: Path) -> None:
        """Start the processes, the server's own first, and make all ready."""

    def request(self, path: str) -> bytes:
        """The bytes of a GET of `path`."""
        return f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n".encode()

    def stop(self) -> None:
        for process in self.processes:
            process.stop()


API_RATE = "1000000"
"""An account has 10,000 requests a second on AWS, and here as well: a hello is quicker than that and met the 429."""


class TrineUp(FrontServer):
    """`trine up`: front door, functions and durable table in one, signatures and roles enforced."""

    name = "Trine"
    application: Path
    """The folder it runs."""
    program: Sequence[str] = TRINE

    def start(self, cache: Cache, directory: Path) -> None:
        application = self.application = directory / "application"
        shutil.copytree(APPLICATION, application)
        self.state = application / ".trine"
        aws_port = free_port()
        command = [*self.program, "up", str(application), "--port", str(self.port), "--aws-port", str(aws_port)]
        command += [
            "--dynamodb-port",
            "0",
            "--no-throttling",
            "--api-rate",
            API_RATE,
            "--json",
            "-P",
            f"Runtime={RUNTIME}",
        ]
        process = Process(command, directory / "log", {}, directory)
        self.processes.append(process)
        self.ready_seconds = process.wait_until_ready(self.port, "/nothing-here")
        run_file = json.loads((application / ".trine" / "server.json").read_text())
        key = {name: run_file[_find(run_file, name)] for name in ("access_key_id", "secret_access_key")}
        fill_users(dynamodb(f"http://127.0.0.1:{aws_port}", **{f"aws_{name}": value for name, value in key.items()}))


def _find(document: dict[str, Any], name: str) -> str:
    """The spelling of `name` among the keys of a run file."""
    plain = name.replace("_", "").lower()
    return next(key for key in document if key.replace("_", "").lower() == plain)


class ServerlessOffline(FrontServer):
    """serverless-offline on osls, with dynoxide in memory as its table: the fastest pair that npm has."""

    name = "serverless-offline + dynoxide"

    def start(self, cache: Cache, directory: Path) -> None:
        modules = cache.npm_directory("serverless-offline") / "node_modules"
        table = cache.npm_directory("dynoxide") / "node_modules/@dynoxide/linux-x64/dynoxide"
        application = directory / "application"
        shutil.copytree(APPLICATION, application)
        (application / "node_modules").symlink_to(modules)
        table_port = free_port()
        environment = {
            "BENCH_RUNTIME": RUNTIME,
            "BENCH_TABLE_URL": f"http://127.0.0.1:{table_port}",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "SLS_TELEMETRY_DISABLED": "1",
        }
        command = [
            str(modules / ".bin" / "osls"),
            "offline",
            "start",
            "--host",
            "127.0.0.1",
            "--httpPort",
            str(self.port),
        ]
        command += ["--lambdaPort", str(free_port()), "--noPrependStageInUrl"]
        process = Process(command, directory / "log", environment, application)
        self.processes.append(process)
        self.processes.append(
            Process([str(table), "serve", "-p", str(table_port)], directory / "table.log", {}, directory)
        )
        self.ready_seconds = process.wait_until_ready(self.port, "/nothing-here")
        self.processes[1].wait_until_ready(table_port)
        client = dynamodb(f"http://127.0.0.1:{table_port}")
        make_users_table(client)
        fill_users(client)


class Ministack(FrontServer):
    """ministack: functions, HTTP API and table made through its AWS endpoints."""

    name = "ministack"

    def start(self, cache: Cache, directory: Path) -> None:
        python = cache.python("ministack")
        environment = {
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "PERSIST_STATE": "0",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        process = Process([str(python.with_name("ministack"))], directory / "log", environment, directory)
        self.processes.append(process)
        self.ready_seconds = process.wait_until_ready(self.port, "/_ministack/health")
        url = f"http://127.0.0.1:{self.port}"
        table = dynamodb(url)
        make_users_table(table)
        fill_users(table)
        self._deploy(url)

    def _deploy(self, url: str) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as packed:
            for source in sorted(path for path in (APPLICATION / "src").iterdir() if path.is_file()):
                packed.write(source, source.name)
        functions = boto3.client("lambda", endpoint_url=url, region_name="us-east-1", **ANYONE)
        gateway = boto3.client("apigatewayv2", endpoint_url=url, region_name="us-east-1", **ANYONE)
        api = gateway.create_api(Name="bench", ProtocolType="HTTP")["ApiId"]
        for name, runtime, path in DEPLOYED:
            made = functions.create_function(
                FunctionName=name,
                Runtime=runtime,
                Role="arn:aws:iam::000000000000:role/bench",
                Handler=f"{name}.handler",
                Code={"ZipFile": archive.getvalue()},
                Timeout=10,
                MemorySize=256,
                Environment={"Variables": {"AWS_ENDPOINT_URL": url}},
            )
            integration = gateway.create_integration(
                ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=made["FunctionArn"], PayloadFormatVersion="2.0"
            )["IntegrationId"]
            gateway.create_route(ApiId=api, RouteKey=f"GET {path}", Target=f"integrations/{integration}")
        gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
        self.host = f"{api}.execute-api.localhost:{self.port}"
        if not answers(self.port, "/_ministack/health"):
            raise NotReady("ministack stopped answering")


class BareFloor(FrontServer):
    """Two processes of AWS's own runtime client behind what hands them events, and a table that only answers."""

    name = "bare floor"

    def start(self, cache: Cache, directory: Path) -> None:
        if find_spec("awslambdaric") is None:
            raise NotInstalled("awslambdaric is not installed: pip install awslambdaric")
        table_port, *runtime_ports = (free_port() for _ in range(1 + FLOOR_CLIENTS))
        ports = map(str, (self.port, table_port, *runtime_ports))
        server = Process(
            [sys.executable, "-m", "benchmarks.floor_server", *ports],
            directory / "log",
            {"PYTHONPATH": f"{APPLICATION.parents[1]}:{os.environ.get('PYTHONPATH', '')}"},
            directory,
        )
        self.processes.append(server)
        self.ready_seconds = server.wait_until_ready(self.port, "/nothing-here")
        for number, port in enumerate(runtime_ports):
            environment = {
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{table_port}",
                "LAMBDA_TASK_ROOT": str(APPLICATION / "src"),
                **{name.upper(): value for name, value in ANYONE.items()},
            }
            command = [sys.executable, "-m", "awslambdaric", "users.handler"]
            self.processes.append(
                Process(command, directory / f"client-{number}.log", environment, APPLICATION / "src")
            )


FRONT_SERVERS: dict[str, type[FrontServer]] = {
    server.name: server for server in (TrineUp, ServerlessOffline, Ministack, BareFloor)
}
