"""A client of Edgegap's API that openapi-python-client makes of the vendor's document: nobody here has written it.

Made once for a run, below a folder of the test, and imported from there.
"""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

from contract.vendor import SPECS
from inns import needed

DOCUMENT = SPECS / "edgegap-v1.openapi.json"
PACKAGE = "edgegap_made_of_its_document"
#: No tool has to tidy up what it makes, and nobody is to install it.
_CONFIG = "post_hooks: []\n"


#: Where the document contradicts itself: the samples that stand beside it are times, and no dates.
_SLIP, _MEANT = '"format": "date"', '"format": "date-time"'


def generate(folder: Path) -> str:
    """Make the client; what the generator printed. It tells what it could not make."""
    text = DOCUMENT.read_text()
    assert text.count(_SLIP) == 3, "the document is another one; see what it says of times now"
    (folder / "document.json").write_text(text.replace(_SLIP, _MEANT))
    program = needed(Path(sys.executable).parent / "openapi-python-client", "openapi-python-client")
    (folder / "config.yml").write_text(_CONFIG)
    done = subprocess.run(
        [program, "generate", "--path", folder / "document.json", "--meta", "none", "--config", folder / "config.yml",
         "--output-path", folder / PACKAGE],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    return done.stdout + done.stderr


class Generated:
    """The client's functions by method and path, imported when they are called."""

    def __init__(self, folder: Path) -> None:
        self.said = generate(folder)
        self._files = {
            place: f"{PACKAGE}.api.{file.parent.name}.{file.stem}"
            for file in sorted((folder / PACKAGE / "api").glob("*/*.py"))
            for place in places_in(file.read_text())
        }
        self.client = importlib.import_module(f"{PACKAGE}.client")

    def __contains__(self, place: tuple[str, str]) -> bool:
        return place in self._files

    def __len__(self) -> int:
        return len(self._files)

    def module(self, place: tuple[str, str]) -> ModuleType:
        """What is generated for a method and a path."""
        return importlib.import_module(self._files[place])

    def body(self, module: ModuleType, said: dict[str, Any]) -> Any:
        """The model of a call's body."""
        names = vars(module)
        return get_type_hints(names["_get_kwargs"], names)["body"].from_dict(said)


def places_in(text: str) -> Iterator[tuple[str, str]]:
    """The method and path that a generated module calls."""
    method, url = re.search(r'"method": "(\w+)"', text), re.search(r'"url": "([^"]+)"', text)
    if method and url:
        yield method[1].upper(), url[1]
