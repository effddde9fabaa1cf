"""Writes ``docs/reference/cli.md`` and ``settings.md`` from the commands and settings themselves.

``python -m innkeeper.cli.reference --write`` in the repository writes them; ``--check`` fails when they are stale, as
``scripts/check`` and a test do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import msgspec

from innkeeper.contract.comments import comments_of
from innkeeper.contract.reference import write_or_check
from innkeeper.hostspecs import HostSpec
from innkeeper.placespecs import PlaceSpec
from innkeeper.ranges import RANGES
from innkeeper.registryspecs import RegistrySpec
from innkeeper.settings import FILE, Settings

from .failures import Code
from .options import SECRET
from .program import program

_CLI_HEAD = """# The command line

Written from the program itself by `scripts/check --fix`; do not edit. `innkeeper COMMAND --help` says the same.

**Which Innkeeper.** All commands but `up`, `demo`, `tokens reset`, `export`, `import` and `completion` speak to a
running one. Where it is and the token for it come from `--url` and `--token`, else from `INNKEEPER_URL` and
`INNKEEPER_TOKEN` (or `HATHORA_TOKEN`), else from `credentials.json` in the data folder (`--data`, `INNKEEPER_DATA`,
`inn-data`). The folder's token is sent to the folder's own Innkeeper alone.

**Which app.** `--app` takes a name or an id, and so does `INNKEEPER_APP_ID` (or `HATHORA_APP_ID`); where there is but
one app, none is needed.

**Results** go to standard output, what is told along the way to standard error. With `--json` the result is one JSON
document with the names of the API; `logs` and `rooms watch` print one document a line, and an error is the line
`{"error": {"message": ...}}` on standard error, also where the line itself is wrong. `rooms info` adds the address
and the reason of the end to what the API tells: `exposedPort`, `additionalExposedPorts`, `endedReason`. Where several
things were named, those that were done before one failed are in it: `"deleted": [...]`. What `deploy` and
`deployments create` print has `***` for values of variables, as logs of pipelines are kept; `deployments info --json`
shows them.

**Restarts.** `logs --follow`, `rooms watch`, `rooms create --wait` and what waits for a build (`deploy`,
`builds create`, `builds pull`) go on when Innkeeper is away for 30 seconds. Of what was printed meanwhile a log tells
the last 5,000 lines; where it repeats itself, some may come twice. A build is run again from its beginning.

**It ends with**

"""

_SETTINGS_HEAD = f"""# Settings

Written from the program itself by `scripts/check --fix`; do not edit.

A setting comes from, in this order:

1. the command line of `innkeeper up`: `--public-host play.example.org`
2. the environment: `INNKEEPER_PUBLIC_HOST=play.example.org`
3. the file `{FILE}` in the data folder, or the one named by `--config`: `public_host = "play.example.org"`
4. its default

A name that is not in this list is refused in the file; in the environment, where it may be another program's, it is
warned of. A value that cannot be used is refused everywhere, with where it came from and what to write. `locations` is
a list of [regions](../how-to/regions.md), in the environment with commas.

| setting | default | what it is |
| --- | --- | --- |
"""


_HOSTS_HEAD = """
## hosts

In the settings file alone, a table for each machine with a container engine that is not this one. `innkeeper hosts add`
takes one in while Innkeeper runs. More of it: [several hosts](../how-to/several-hosts.md).

```toml
[[hosts]]
name = "fra-1"
engine = "ssh://innkeeper@fra-1.example.org"
locations = ["frankfurt"]
cpu = 16
memory_mb = 60000
```

| field | default | what it is |
| --- | --- | --- |
"""

_PLACES_HEAD = """
## places

In the settings file alone, a table for each location that the house does not know by itself, or knows otherwise. More
of it: [regions and locations](../how-to/regions.md#locations).

```toml
[[places]]
name = "montreal"
latitude = 45.5019
longitude = -73.5674
city = "Montreal"
country = "Canada"
continent = "North America"
timezone = "America/Toronto"
tags = { owner = "us" }
```

| field | default | what it is |
| --- | --- | --- |
"""

_REGISTRIES_HEAD = """
## registries

In the settings file alone, a table for the image registry of each organisation that shall have one. More of it:
[a registry for plugins](../how-to/move-from-edgegap.md#a-registry-for-plugins).

```toml
[[registries]]
url = "registry.example.org"
project = "studio"
username = "studio"
password = "..."
```

| field | default | what it is |
| --- | --- | --- |
"""


def cli_page() -> str:
    """``cli.md``."""
    lines = [_CLI_HEAD + "| code | when |", "| --- | --- |"]
    words = comments_of(Code)
    lines += [f"| {int(code)} | {words[code.name]} |" for code in Code]
    context = click.Context(program, info_name="innkeeper")
    for text in _sections(program, context):
        lines += ["", text]
    return "\n".join(lines) + "\n"


def _sections(command: click.Command, context: click.Context) -> Iterator[str]:
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from _sections(below, click.Context(below, info_name=name, parent=context))
        return
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    parts = [f"## {context.command_path}", f"```\n{usage}\n```", _prose(command.help or "")]
    options = [each for each in command.params if isinstance(each, click.Option)]
    rows = [_row(*record) for option in options if (record := option.get_help_record(context))]
    if rows:
        parts.append("\n".join(["| option | |", "| --- | --- |", *rows]))
    yield "\n\n".join(parts)


def _prose(text: str) -> str:
    """Help as click has it: paragraphs, and ones that are kept as they are after a mark."""
    paragraphs = []
    for paragraph in text.split("\n\n"):
        if paragraph.startswith("\b"):
            paragraphs.append("```sh\n" + paragraph.removeprefix("\b").strip("\n") + "\n```")
        else:
            paragraphs.append(" ".join(paragraph.split()))
    return "\n\n".join(paragraphs)


def _row(names: str, text: str) -> str:
    names = names.replace("|", "\\|")
    return f"| `{names}` | {' '.join(text.split())} |"


def settings_page() -> str:
    """``settings.md``."""
    words = comments_of(Settings)
    rows = [_setting(field, words[field.name], bounded=True) for field in msgspec.structs.fields(Settings)]
    words = comments_of(HostSpec)
    hosts = [_setting(field, words[field.name]) for field in msgspec.structs.fields(HostSpec)]
    words = comments_of(PlaceSpec)
    places = [_setting(field, words[field.name]) for field in msgspec.structs.fields(PlaceSpec)]
    words = comments_of(RegistrySpec)
    registries = [_setting(field, words[field.name]) for field in msgspec.structs.fields(RegistrySpec)]
    tables = [(_HOSTS_HEAD, hosts), (_PLACES_HEAD, places), (_REGISTRIES_HEAD, registries)]
    return "\n".join([_SETTINGS_HEAD + "\n".join(rows), *(head + "\n".join(each) for head, each in tables)]) + "\n"


def _setting(field: Any, text: str, *, bounded: bool = False) -> str:
    default = field.default
    if field.required:
        shown = "needed"
    elif default is msgspec.NODEFAULT:  # made anew each time, and empty
        shown = "none"
    elif isinstance(default, bool):
        shown = f"`{str(default).lower()}`"
    else:
        shown = "none" if default in ("", None, frozenset(), ()) else f"`{default}`"
    text = text.replace("``", "`")
    if span := RANGES.get(field.name) if bounded else None:
        text += f" ({span.ends})"
    if field.name in SECRET:
        text += "; not an option of the command line, which others can read"
    return f"| `{field.name}` | {shown} | {text} |"


def main() -> None:
    """``--write`` or ``--check``, in the repository."""
    write_or_check({"cli.md": cli_page(), "settings.md": settings_page()})


if __name__ == "__main__":
    main()
