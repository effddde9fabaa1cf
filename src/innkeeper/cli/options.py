"""The settings of the house as options of the command line. For ``up``, ``export``, ``import`` and ``tokens reset``.

Every setting is one, under its own name and with the words beside it in ``settings.py``: nothing is kept twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from innkeeper.contract.comments import comments_of
from innkeeper.settings import FILE, Settings, load_settings

C = TypeVar("C", bound=Callable[..., Any])

#: Not for the command line, which everybody on the machine can read.
SECRET = frozenset({"secret_key", "smtp_url"})
#: In the settings file alone: a table for each.
TABLES = frozenset({"hosts", "places", "registries"})


def setting_options(command: C, only: Collection[str] = Settings.__struct_fields__) -> C:
    """Give a command the option ``--config`` and one for each setting; it passes them to :func:`settings_of`."""
    helps = comments_of(Settings)
    for field in reversed(msgspec.structs.fields(Settings)):
        if field.name in SECRET | TABLES or field.name not in only:
            continue
        word = field.name.replace("_", "-")
        option = click.option(
            f"--{word}/--no-{word}" if isinstance(field.default, bool) else f"--{word}",
            field.name,
            type=_kind(field.default),
            default=None,
            metavar=None if isinstance(field.default, bool) else _metavar(field.name, field.default),
            help=_sentence(helps.get(field.name, ""), field.default),
        )
        command = option(command)
    return click.option(
        "--config", type=click.Path(path_type=Path), metavar="FILE", envvar="INNKEEPER_CONFIG",
        help=f"Settings file (TOML); {FILE} in the data folder unless told.",
    )(command)  # fmt: skip


def settings_of(config: Path | None, given: dict[str, Any]) -> Settings:
    """The settings, with what the command line says. Raises ``kit.errors.Invalid``."""
    return load_settings(given, file=config)


def _kind(default: Any) -> Any:
    if isinstance(default, bool | int | float):
        return type(default)
    return float if default is None else str


def _metavar(name: str, default: Any) -> str:
    if name == "data":
        return "DIR"
    if name == "database" or name.endswith("_url"):
        return "URL"
    return "N" if isinstance(default, int | float) or default is None else "TEXT"


def _sentence(text: str, default: Any) -> str:
    text = text.replace("``", "").strip()
    shown = f" [{default}]" if default not in ("", None, frozenset()) and not isinstance(default, bool) else ""
    return f"{text[:1].upper()}{text[1:]}{shown}"
