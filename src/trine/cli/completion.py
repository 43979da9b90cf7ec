"""`trine completion SHELL`: the script that makes bash, zsh or fish complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

VARIABLE = "_TRINE_COMPLETE"
"""What click looks for when the shell asks for completions."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    bash, in ~/.bashrc: eval "$(trine completion bash)"; zsh, in ~/.zshrc: eval "$(trine completion zsh)";
    fish: trine completion fish > ~/.config/fish/completions/trine.fish
    """
    found = get_completion_class(shell)
    assert found is not None
    from trine.cli.main import trine

    made = found(trine, {}, "trine", VARIABLE)
    # Click's `source` asks which bash this is; the script itself works from 4.4 on, whoever prints it.
    click.echo(made.source_template % made.source_vars())
