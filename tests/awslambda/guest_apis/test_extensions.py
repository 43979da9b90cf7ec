"""External extensions: started from a layer, waited for in every phase, told of the end, missed when they die."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.own_runtime import OWN_RUNTIME
from tests.waiting import until
from trine.awslambda.guest_apis.extensions import external

EXTENSION = """#!{python}
import json, os, sys, time, urllib.error, urllib.request

API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2020-01-01/extension/"

def ask(what, headers=(), body=None):
    request = urllib.request.Request(API + what, data=body, headers=dict(headers))
    with urllib.request.urlopen(request) as answer:
        return answer.headers, json.loads(answer.read())

name = os.path.basename(sys.argv[0])
try:
    ask("event/next")
except urllib.error.HTTPError as error:
    print("without a name:", error.code, json.loads(error.read())["errorType"], flush=True)
headers, told = ask("register", {{"Lambda-Extension-Name": name, "Lambda-Extension-Accept-Feature": "accountId"}},
                    json.dumps({{"events": ["INVOKE", "SHUTDOWN"]}}).encode())
print("registered for", told["functionName"], told["accountId"], flush=True)
me = {{"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}}
while True:
    _, event = ask("event/next", me)
    print(name, "hears", event["eventType"], event.get("shutdownReason", ""), flush=True)
    if event["eventType"] == "SHUTDOWN":
        break
    time.sleep({pause})
    {then}
"""


def layer(lab: Any, folder: Path, *, pause: float = 0.0, then: str = "pass") -> str:
    """A layer with one external extension; its version's ARN."""
    place = folder / "layer" / "extensions"
    place.mkdir(parents=True)
    (place / "watcher").write_text(EXTENSION.format(python=sys.executable, pause=pause, then=then))
    (place / "watcher").chmod(0o755)
    (place / "notes.txt").write_text("not executable\n")
    arn: str = lab.service.deployment.put_layer({"LayerName": folder.name.replace("_", "-")}, folder / "layer")
    return arn


def test_only_executables_of_the_folder_are_extensions(tmp_path: Path) -> None:
    (tmp_path / "extensions").mkdir()
    (tmp_path / "extensions" / "b").write_text("#!/bin/sh\n")
    (tmp_path / "extensions" / "b").chmod(0o755)
    (tmp_path / "extensions" / "a.txt").write_text("no\n")
    assert external(tmp_path) == ("b",)
    assert external(tmp_path / "nowhere") == external(None) == ()


@pytest.mark.parametrize("runtime", [OWN_RUNTIME, "nodejs20.x"])
def test_from_init_to_shutdown(lab: Any, tmp_path: Path, runtime: str) -> None:
    name = f"extended-{runtime.partition('.')[0]}"
    code = {} if runtime.startswith("python") else {"code": Path(__file__).parents[1] / "handlers" / "node"}
    lab.put("app.hello", name, Layers=[layer(lab, tmp_path)], Runtime=runtime, Timeout=10, MemorySize=512, **code)
    assert json.loads(lab.invoke(name).payload) == {"hello": "world"}
    lab.run(until(lambda: "watcher hears INVOKE" in lab.log(name), "the extension"))
    log = lab.log(name)
    assert f"registered for {name} 123456789012" in log
    assert "without a name: 403 Extension.MissingExtensionIdentifier" in log
    assert "EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE, SHUTDOWN]" in log
    events = lab.service.registry.log(name)
    lab.run(lab.service.deployment.delete_function(name))
    said = "".join(event.message for event in events.events())
    assert "watcher hears SHUTDOWN spindown" in said


def test_the_next_invocation_waits_for_the_extension(lab: Any, tmp_path: Path) -> None:
    lab.put("app.hello", "unhurried", Layers=[layer(lab, tmp_path, pause=1.0)], Timeout=10)
    began = time.monotonic()  # before the extension hears of the first one, whatever else the machine does
    lab.invoke("unhurried")
    lab.invoke("unhurried")
    assert len(lab.service.registry.describe_environments("unhurried")) in (1, 2)
    if len(lab.service.registry.describe_environments("unhurried")) == 1:
        assert time.monotonic() - began > 1.0


def test_an_extension_that_dies_takes_its_environment_along(lab: Any, tmp_path: Path) -> None:
    lab.put("app.sleep", "bereft", Layers=[layer(lab, tmp_path, then="os._exit(3)")], Timeout=10)
    response = lab.invoke("bereft", {"seconds": 5})
    error = json.loads(response.payload)
    assert (error["errorType"], response.function_error) == ("Extension.Crash", "Unhandled")
    assert "exit status 3" in error["errorMessage"]
    assert lab.call("app.hello") == {"hello": "world"}


def test_an_extension_that_never_registers_fails_the_init(lab: Any, tmp_path: Path) -> None:
    place = tmp_path / "layer" / "extensions"
    place.mkdir(parents=True)
    (place / "mute").write_text("#!/bin/sh\nexit 0\n")
    (place / "mute").chmod(0o755)
    arn = lab.service.deployment.put_layer({"LayerName": "mute"}, tmp_path / "layer")
    error = lab.error("app.hello", name="muted", Layers=[arn], Timeout=5)
    assert error["errorType"] == "Extension.Crash"
