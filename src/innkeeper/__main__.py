"""``python -m innkeeper`` is ``innkeeper``: for machines whose scripts are not on the path."""

from innkeeper.cli import main

main()
