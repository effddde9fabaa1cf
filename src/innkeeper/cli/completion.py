"""``innkeeper completion``: the script that makes a shell complete this program's commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_USE = {
    "bash": 'eval "$(innkeeper completion bash)"   # in ~/.bashrc',
    "zsh": 'eval "$(innkeeper completion zsh)"    # in ~/.zshrc, after compinit',
    "fish": "innkeeper completion fish | source    # in ~/.config/fish/config.fish",
}


@click.command(
    help="Print the script that makes a shell complete commands and options.\n\n\b\n" + "\n".join(_USE.values())
)
@click.argument("shell", type=click.Choice(list(_USE)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script."""
    found = get_completion_class(shell)
    assert found is not None
    root = ctx.find_root()
    click.echo(found(root.command, {}, "innkeeper", "_INNKEEPER_COMPLETE").source())
