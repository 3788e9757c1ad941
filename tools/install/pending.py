"""What the system has still to be told of a change: read unit files anew, start the service anew.

A mark on disk before the change, taken away after the telling: a run that ends in between is finished by the next,
which would find the files as they should be and nothing to do. Must not know how the system is told.
"""

from __future__ import annotations

from collections.abc import Iterable

from tools.install import files
from tools.install.places import PUBLIC_FILE, Places

RELOAD = "reload"
RESTART = "restart"


def mark(places: Places, names: Iterable[str]) -> None:
    """Before a change: note what it will make necessary."""
    for name in names:
        files.write(places.opt / "pending" / name, b"", PUBLIC_FILE)


def is_marked(places: Places, name: str) -> bool:
    """Whether it is necessary."""
    return (places.opt / "pending" / name).exists()


def clear(places: Places, name: str) -> None:
    """It has been done."""
    files.remove(places.opt / "pending" / name)
