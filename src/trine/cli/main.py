"""The command `trine`: its subcommands, each loaded only when it is called.

Loading lazily is what keeps `trine up` under half a second: no command pays for another's imports.
Exit codes: 0 done, 1 it failed (a message says why and what to do), 2 the template or the arguments are wrong.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from trine import __version__

COMMANDS = {
    "up": "Run the stack of a SAM or CloudFormation template.",
    "build": "Install what the functions of a template ask for.",
    "validate": "Check a template and report every fault with its place.",
    "check": "Point out what AWS would deploy and one would regret.",
    "env": "Print access key and endpoints as shell exports.",
    "policy": "Write the least-privilege policies that the recorded calls need.",
    "explain": "Show what happened to one request, and why it was refused.",
    "bill": "Show what the traffic would cost on AWS, and a month of it three ways.",
    "console": "Print a link that opens the console in a browser, once.",
    "top": "Watch routes, functions and tables live.",
    "logs": "Show the log lines of functions.",
    "invoke": "Invoke one function of the running stack.",
    "dynamodb": "Run the DynamoDB-compatible table server alone.",
    "store": "Verify or copy the durable store of a state directory.",
    "completion": "Print the completion script of bash, zsh or fish.",
}


SERVERS = frozenset({"up", "dynamodb"})
"""Commands that are ended by Ctrl-C and nothing else: to be ended is no failure of theirs."""
INTERRUPTED = 130
"""What shells say of a command that Ctrl-C ended."""


class LazyGroup(click.Group):
    """A group whose commands live in `trine.cli.<name>` as the attribute `command`."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; one that is interrupted ends without a word about it, but its own exit code."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            # One raised below an `exec` (the making of a named tuple, say) would end `python -m` by SIGINT in spite of
            # the exit code, for CPython remembers it until text is run again (Py_RunMain, run_eval_code_obj).
            eval("None")  # noqa: S307 (a constant)
            if ctx.invoked_subcommand not in SERVERS:
                ctx.exit(INTERRUPTED)
            click.echo("stopped before it was ready", err=True)
            ctx.exit(0)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            from difflib import get_close_matches

            if near := get_close_matches(cmd_name, COMMANDS, 1):
                ctx.fail(f"No such command {cmd_name!r}. Did you mean {near[0]!r}?")
            return None
        command: Any = importlib.import_module(f"trine.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="trine")
def trine() -> None:
    """Amazon API Gateway, AWS Lambda and Amazon DynamoDB on this machine, from your template."""


def main() -> None:
    """The console script's entry: a pipe closed by its reader ends the command quietly."""
    try:
        trine(prog_name="trine")
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
