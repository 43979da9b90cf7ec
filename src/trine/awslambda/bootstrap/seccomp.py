"""The seccomp filter of a function's process: system calls that only leave a sandbox are refused, all others pass.

Pure: builds the program as bytes (classic BPF) once, in the zygote. Refused calls answer an error, never a signal, so
that libraries which only probe for a feature go on without it.
"""

from __future__ import annotations

import errno
import platform
import struct

_LOAD, _EQUAL, _GREATER_EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT = 0, 4, 16
_NAMESPACE_FLAGS = 0x7E020000
_TIOCSTI = 0x5412

_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_REFUSED = {
    # name: (x86_64, aarch64)
    "ptrace": (101, 117), "pivot_root": (155, 41), "chroot": (161, 51), "mount": (165, 40), "umount2": (166, 39),
    "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142), "init_module": (175, 105),
    "delete_module": (176, 106), "kexec_load": (246, 104), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219), "unshare": (272, 97), "perf_event_open": (298, 241), "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264), "setns": (308, 268), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "finit_module": (313, 273), "kexec_file_load": (320, 294), "bpf": (321, 280),
    "userfaultfd": (323, 282), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
}  # fmt: skip
_ABSENT = {"io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
           "clone3": (435, 435)}  # fmt: skip
"""Answered as by a kernel that does not have them: libraries then take the older way, which the filter can look at."""
_CLONE, _IOCTL = (56, 220), (16, 29)

_Instruction = tuple[int, int, int, int]


def build(*, may_move: bool = False) -> tuple[bytes, int] | None:
    """The program and its number of instructions; None on a machine it is not written for. `may_move` lets a process
    enter namespaces that it is given the keys of: a snapshot, whose forks move before they are filtered anew."""
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return None
    column = 0 if platform.machine() == "x86_64" else 1
    program: list[_Instruction] = [
        (_LOAD, 0, 0, _MACHINE_AT),
        (_EQUAL, 1, 0, machine),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    if column == 0:  # the x32 ABI has numbers of its own for everything below
        program += [(_GREATER_EQUAL, 0, 1, 0x40000000), _refusal(errno.ENOSYS)]
    program += _when(_CLONE[column], [_argument(0), (_ANY_BIT, 0, 1, _NAMESPACE_FLAGS), _refusal(errno.EPERM)])
    program += _when(_IOCTL[column], [_argument(1), (_EQUAL, 0, 1, _TIOCSTI), _refusal(errno.EPERM)])
    for numbers, code in ((_REFUSED, errno.EPERM), (_ABSENT, errno.ENOSYS)):
        for name, columns in numbers.items():
            if name == "setns" and may_move:
                continue
            program += [(_EQUAL, 0, 1, columns[column]), _refusal(code)]
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *instruction) for instruction in program), len(program)


def _refusal(code: int) -> _Instruction:
    return (_RETURN, 0, 0, _REFUSE | code)


def _argument(index: int) -> _Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * index)


def _when(number: int, body: list[_Instruction]) -> list[_Instruction]:
    # `body` ends in a refusal; what it does not refuse is allowed. Another call number goes on behind it.
    whole = [*body, (_RETURN, 0, 0, _ALLOW)]
    return [(_EQUAL, 0, len(whole), number), *whole]
