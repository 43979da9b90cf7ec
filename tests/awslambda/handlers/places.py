"""What a handler sees of its surroundings."""

import ctypes
import getpass
import os
import sys


def names(event, context):
    """The names below each folder, or the error; `""` is the folder of the code."""
    found = {}
    for name in event["folders"]:
        try:
            found[name] = sorted(os.listdir(os.path.join(os.environ["LAMBDA_TASK_ROOT"], name)))
        except OSError as error:
            found[name] = error.strerror
    return found


def user(event, context):
    return [getpass.getuser(), os.path.expanduser("~")]


def settle(event, context):
    os.makedirs(os.path.expanduser("~/.cache"))


def command(event, context):
    return [os.environ.get("WRAPPED"), sys.flags.dev_mode, os.environ["LD_LIBRARY_PATH"]]


def library(event, context):
    return ctypes.CDLL(event["name"]).answer()
