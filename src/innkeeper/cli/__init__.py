"""The command line, ``innkeeper``. ``program.py`` has the list of commands; each lives in a module of its own.

All commands but ``up``, ``demo``, ``export``, ``import`` and ``tokens reset`` speak to a running Innkeeper through
``innkeeper.sdk``. A module is imported when its command is called, so that none pays for the others.
"""

from __future__ import annotations

import sys


def main() -> None:
    """What the program ``innkeeper`` runs. Ends the process with one of the codes in ``failures.py``."""
    try:
        import click
    except ImportError:
        sys.exit("innkeeper: the command line is the extra 'server': pip install '.[server]' in a clone brings it")
    assert click
    from .program import program

    program(prog_name="innkeeper")
