"""What a hostile function may try; each answers `done` or the name of the error it met."""

import ctypes
import errno
import os
import signal
import socket
import time


def attempt(deed):
    try:
        result = deed()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
    return "done" if result is None else result


def write_to(path):
    def deed():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(descriptor, b"x")
        os.close(descriptor)

    return deed


def read_from(path):
    def deed():
        with open(path, "rb") as file:
            file.read(10)

    return deed


def shadow_bytes():
    with open("/etc/shadow", "rb") as file:
        return len(file.read())


def list_processes():
    return str(sum(name.isdigit() for name in os.listdir("/proc")))


def system_call(number, *arguments):
    def deed():
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) for a in arguments]) < 0:
            raise OSError(ctypes.get_errno(), "")

    return deed


def fill_tmp():
    try:
        with open("/tmp/fill", "wb") as file:
            for _ in range(600):
                file.write(bytes(1 << 20))
    finally:
        os.unlink("/tmp/fill")


def connect_to(path):
    def deed():
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)

    return deed


def listed(folder):
    try:
        return sorted(os.listdir(folder))
    except PermissionError:
        return []


def handler(event, context):
    own = os.environ["LAMBDA_TASK_ROOT"]
    return {
        "read_neighbour": attempt(read_from(event["neighbour_file"])),
        "shadow": attempt(shadow_bytes),
        "write_neighbour": attempt(write_to(event["neighbour_file"])),
        "write_own_code": attempt(write_to(own + "/new.py")),
        "write_system": attempt(write_to("/usr/new")),
        "read_environ_of_server": attempt(read_from(f"/proc/{event['server_pid']}/environ")),
        "signal_server": attempt(lambda: os.kill(event["server_pid"], 0)),
        "signal_everybody": attempt(lambda: os.kill(-1, 0)),
        "processes": attempt(list_processes),
        "unshare": attempt(system_call(272, 0x10000000)),
        "mount": attempt(system_call(165, 0, 0, 0, 0, 0)),
        "ptrace": attempt(system_call(101, 16, os.getppid(), 0, 0)),
        "socket_of_server": attempt(connect_to(event["socket"])),
        "write_tmp": attempt(write_to("/tmp/mine")),
        "fill_tmp": attempt(fill_tmp) if event.get("fill") else None,
        "tmp": listed("/tmp"),
        "uid": os.getuid(),
        "capabilities": next(line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff")),
    }


def fork_children(event, context):
    children = []
    try:
        for _ in range(event["count"]):
            pid = os.fork()
            if pid == 0:
                signal.pause()
            children.append(pid)
    except OSError as error:
        return errno.errorcode[error.errno]
    time.sleep(event.get("seconds", 0))
    return len(children)


def allocate(event, context):
    kept = []
    for _ in range(event["mb"]):
        kept.append(os.urandom(1 << 20))
    return len(kept)


def bomb(event, context):
    """Fork for ever, children too."""
    import os
    import time

    while True:
        try:
            os.fork()
        except OSError:
            time.sleep(0.01)
