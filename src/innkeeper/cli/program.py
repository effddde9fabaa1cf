"""The list of commands. Their modules are imported when they are called; the one-line helps are here, for that."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click

from innkeeper import __version__

from .failures import refused, wants_json

_IS_JSON = f"{__name__}.is_json"


class Entry(NamedTuple):
    """Where a command is, as ``module:name`` below this package, and what it does."""

    place: str
    help: str


COMMANDS: Mapping[str, Entry] = {
    "up": Entry("up:up", "Start an Innkeeper and keep it running."),
    "demo": Entry("demo:demo", "Show a whole life: deploy a game, open a room, play in it."),
    "deploy": Entry("deploy:deploy", "Pack a directory, build it, and serve new rooms with it."),
    "rooms": Entry("rooms:rooms", "Open, watch and end rooms."),
    "logs": Entry("logs:logs", "Read what a game server printed."),
    "processes": Entry("processes:processes", "The running game servers, and those that ended."),
    "apps": Entry("apps:apps", "The games, or environments of games."),
    "builds": Entry("builds:builds", "What game servers run."),
    "deployments": Entry("deployments:deployments", "A build and how it is run; the newest serves new rooms."),
    "edgegap": Entry("edgegap:edgegap", "Apps and deployments as the Edgegap API has them."),
    "webhooks": Entry("webhooks:webhooks", "URLs of yours that events are posted to."),
    "callbacks": Entry("callbacks:callbacks", "What requests asked to be told of, and what became of it."),
    "events": Entry("events:events", "What happened, and what happens now."),
    "hosts": Entry("hosts:hosts", "The machines that servers run on."),
    "tokens": Entry("tokens:tokens", "The tokens that open this API."),
    "audit": Entry("audit:audit", "Who changed what, or tried to."),
    "orgs": Entry("orgs:orgs", "The organisations that a token belongs to, and their limits."),
    "billing": Entry("billing:billing", "What organisations used, and what they owe."),
    "export": Entry("export:export", "Write everything that a house keeps into one file."),
    "import": Entry("import_:import_", "Take in what `innkeeper export` wrote."),
    "completion": Entry("completion:completion", "Make the shell complete commands and options."),
}


class Commands(click.Group):
    """Commands that are imported late, and what is wrong with a line as JSON where the line asks for JSON."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        is_json = wants_json(args)
        with refused(is_json):
            context = super().make_context(info_name, args, parent, **extra)
        context.meta[_IS_JSON] = is_json
        return context

    def invoke(self, ctx: click.Context) -> Any:
        with refused(ctx.meta[_IS_JSON]):
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, name = entry.place.partition(":")
        found = getattr(import_module(f"innkeeper.cli.{module}"), name)
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="innkeeper %(version)s")
def program() -> None:
    """Innkeeper keeps rooms for players: a game server cloud of your own.

    `innkeeper up` starts it. The other commands speak to a running one, found by --url and --token, by INNKEEPER_URL
    and INNKEEPER_TOKEN, or by credentials.json in the data folder (--data, inn-data unless told).
    """
