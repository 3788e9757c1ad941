"""Every sentence a person reads, in Chinese and English, from one catalogue: the files of catalogue/.

Owns the choice of language and the filling in of names. Must not know when a sentence is said. A key lies in the file
named by its first word. A test holds that both languages exist and name the same {things}.
"""

from __future__ import annotations

import functools
import os
import tomllib
from pathlib import Path

from edge_daemon.errors import Refusal

LANGUAGES = ("en", "zh")
_CATALOGUE = Path(__file__).parent / "catalogue"


@functools.cache
def catalogue() -> dict[str, dict[str, str]]:
    """All sentences: key -> language -> text with {names}."""
    whole: dict[str, dict[str, str]] = {}
    for file in sorted(_CATALOGUE.glob("*.toml")):
        whole |= tomllib.loads(file.read_text(encoding="utf-8"))
    return whole


def language(wanted: str | None = None) -> str:
    """`wanted`, else the locale's language when we speak it, else English."""
    if wanted in LANGUAGES:
        return str(wanted)
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if locale.lower().startswith("zh") else "en"


class Messages:
    """The catalogue in one language."""

    def __init__(self, lang: str) -> None:
        self.lang = lang

    def text(self, key: str, /, **names: object) -> str:
        """The sentence of a key. Raises KeyError for one the catalogue lacks: our fault, no person's."""
        return catalogue()[key][self.lang].format(**names)

    def refusal(self, refusal: Refusal) -> str:
        """What is wrong and what to do about it, in one line."""
        return self.text(refusal.key, **refusal.params)
