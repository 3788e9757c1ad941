"""argparse's own words in the person's language: it asks gettext, which has no Chinese for it.

Owns the list of them. Must not know our commands. argparse looks the name `_` up in its own module at each use; that is
the one place where all its sentences pass.
"""

from __future__ import annotations

import argparse

from tools.messages import Messages

_KEYS = {
    "usage: ": "usage",
    "positional arguments": "positionals",
    "options": "options",
    "show this help message and exit": "help",
    "argument %(argument_name)s: %(message)s": "argument",
    "the following arguments are required: %s": "required",
    "unrecognized arguments: %s": "unrecognized",
    "invalid choice: %(value)r (choose from %(choices)s)": "choice",
    "invalid %(type)s value: %(value)r": "value",
    "expected one argument": "one",
    "expected at least one argument": "some",
    "not allowed with argument %s": "not_with",
    "one of the arguments %s is required": "one_of",
    "ambiguous option: %(option)s could match %(matches)s": "ambiguous",
}


def speak(words: Messages) -> None:
    """Have argparse speak the language of `words` from now on, in this process."""

    def say(text: str) -> str:
        key = _KEYS.get(text)
        return text if key is None else words.text(f"cli.argparse.{key}")

    argparse._ = say  # type: ignore[attr-defined]
