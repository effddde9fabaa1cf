"""Every command of the program, with the words that call it. Used by tests that hold for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import click

from innkeeper.cli.program import COMMANDS, program


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """The words of each command that does something, and the command."""
    context = click.Context(program)
    for name in COMMANDS:
        command = program.get_command(context, name)
        assert command is not None
        yield from _below((name,), command)


def _below(words: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        yield words, command
        return
    for name, one in command.commands.items():
        yield from _below((*words, name), one)
