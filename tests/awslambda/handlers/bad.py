"""Handlers that misbehave: each attacks one thing that the platform must hold."""

import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time


def interrupt_self(event, context):
    os.kill(os.getpid(), getattr(signal, event["signal"]))
    time.sleep(10)


def stop_self(event, context):
    os.kill(os.getpid(), signal.SIGSTOP)


def interrupt_parent(event, context):
    try:
        os.kill(os.getppid(), getattr(signal, event["signal"]))
    except PermissionError:
        return "refused"
    time.sleep(0.3)
    return "still here"


def crash(event, context):
    ctypes.string_at(0)


def recurse(event, context):
    sys.setrecursionlimit(1 << 30)
    return recurse(event, context)


def close_everything(event, context):
    os.closerange(0, 1024)
    return "closed"


def close_link(event, context):
    os.close(3)
    time.sleep(0.2)
    return "closed"


def babble_on_link(event, context):
    os.write(3, b"nonsense without end\r\n\r\n")
    time.sleep(5)


def answer_twice(event, context):
    head = f"POST /2018-06-01/runtime/invocation/{context.aws_request_id}/response HTTP/1.1\r\n"
    os.write(3, (head + 'Content-Type: application/json\r\nContent-Length: 7\r\n\r\n"first"').encode())
    return "second"


def answer_another(event, context):
    head = f"POST /2018-06-01/runtime/invocation/{event['id']}/response HTTP/1.1\r\n"
    os.write(3, (head + 'Content-Type: application/json\r\nContent-Length: 8\r\n\r\n"stolen"').encode())
    return "mine"


def flood_for_ever(event, context):
    while True:
        os.write(1, b"z" * 65536)


def flood_without_newline(event, context):
    for _ in range(200):
        os.write(1, b"z" * 65536)
    return "done"


def binary_noise(event, context):
    os.write(1, bytes(range(256)) * 64 + b"\n")
    return "done"


def thread_bomb(event, context):
    started = 0
    try:
        for _ in range(event["count"]):
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            started += 1
    except RuntimeError:
        return "refused"
    return started


def open_files(event, context):
    kept = []
    try:
        while True:
            kept.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        return len(kept)


def raise_limits(event, context):
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    except (ValueError, OSError):
        return "refused"
    return "raised"


def unserializable(event, context):
    return {"a set": {1, 2}}


def not_text(event, context):
    return "\ud800"


def deep(event, context):
    value = []
    for _ in range(100_000):
        value = [value]
    return value


def raise_strange(event, context):
    class Strange(BaseException):
        def __str__(self):
            raise RuntimeError("not even this")

    raise Strange


def leave_thread_that_speaks(event, context):
    def speak():
        while True:
            print("late")
            time.sleep(0.01)

    threading.Thread(target=speak, daemon=True).start()
    return "done"


def spawn_forever(event, context):
    subprocess.Popen([sys.executable, "-c", "import time\nwhile True: time.sleep(1)"], start_new_session=True)
    subprocess.Popen("trap '' TERM INT HUP; while :; do sleep 1; done", shell=True)
    return "done"


def environs(event, context):
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) not in (os.getpid(), os.getppid()):
            for part in ("environ", "mem", "cmdline"):
                try:
                    with open(f"/proc/{name}/{part}", "rb") as file:
                        data = file.read(100_000) if part != "mem" else b"open"
                except OSError:
                    continue
                if part == "mem" or event["secret"].encode() in data:
                    found.append(f"{name}/{part}")
    return found


def knock(event, context):
    heard = []
    for port in event["ports"]:
        try:
            with socket.create_connection(("127.0.0.1", port), 2) as client:
                client.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
                client.settimeout(2)
                heard.append(client.recv(100).decode())
        except OSError as error:
            heard.append(type(error).__name__)
    return heard


class Broken:
    """A stream that takes nothing."""

    def write(self, *_):
        raise OSError("no")

    def flush(self):
        raise ZeroDivisionError


def break_streams(event, context):
    sys.stdout = sys.stderr = Broken()
    raise ValueError("told all the same")


def capture_streams(event, context):
    import io

    sys.stdout = io.StringIO()
    raise ValueError("told all the same")


def interrupt(event, context):
    raise KeyboardInterrupt("stop")


def generate(event, context):
    yield 1


async def coroutine(event, context):
    return 1


def replace_hooks(event, context):
    import json

    sys.excepthook = lambda *_: os._exit(7)
    json.loads = json.dumps = None
    raise ValueError("hooked")


def fail_later(event, context):
    threading.Timer(0.05, lambda: 1 / 0).start()
    return "done"


def fill_tmp(event, context):
    written = 0
    try:
        with open("/tmp/full", "wb") as file:
            for _ in range(600):
                written += file.write(bytes(1 << 20))
    except OSError as error:
        return [error.strerror, written >> 20]


def map_memory(event, context):
    import mmap

    held = [mmap.mmap(-1, 64 << 20) for _ in range(32)]
    for area in held:
        area.write(bytes(64 << 20))
    time.sleep(10)


def daemonize(event, context):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(60)
        os._exit(0)
    return "done"
