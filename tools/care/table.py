"""A table of a TOML file, asked for value by value. Owns the checks of single values and what is said of a wrong one.

Each question raises a Refusal that names the file and the place in it, as `fence[2].radius_m`, never more of what
stands there than the value itself. What nobody asked for is refused by `done`: a mistyped key changes nothing unseen.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Self

from edge_daemon.errors import Refusal

_MOST_BYTES = 65_536
_SHOWN_MOST = 40
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


class Table:
    """`whole`, `text` and so on take a key out; a default of its own type is what counts where there is none."""

    def __init__(self, file: Path, value: dict[str, Any], path: str = "") -> None:
        self.file = file
        self._left = dict(value)
        self._path = path

    @classmethod
    def read(cls, file: Path) -> Self:
        """The whole file. Raises Refusal: missing, too long, no TOML."""
        try:
            with file.open("rb") as opened:
                data = opened.read(_MOST_BYTES + 1)
            if len(data) > _MOST_BYTES:
                raise Refusal("care.too_long", file=file, most=_MOST_BYTES)
            return cls(file, tomllib.loads(data.decode("utf-8")))
        except OSError as error:
            raise Refusal("care.unreadable", file=file, why=error.strerror) from error
        except (ValueError, RecursionError) as error:
            raise Refusal("care.no_toml", file=file, why=str(error).splitlines()[0][:100]) from error

    def where(self, key: str) -> str:
        """The place of a key."""
        return printable(f"{self._path}.{key}" if self._path else key)

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def wrong(self, reason: str, key: str, **names: object) -> Refusal:
        """The refusal of what stands at a key: `care.<reason>`."""
        return Refusal(f"care.{reason}", file=self.file, where=self.where(key), **names)

    def _take(self, key: str, default: Any) -> Any:
        if key in self._left:
            return self._left.pop(key)
        if default is None:
            raise self.wrong("missing", key)
        return default

    def whole(self, key: str, least: int, most: int, default: int | None = None) -> int:
        """A whole number within limits."""
        value = self._take(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.wrong("bad_number", key, got=printable(value), least=least, most=most)
        return value

    def degrees(self, key: str, most: int) -> int:
        """Degrees of latitude or longitude, as millionths."""
        value = self._take(key, None)
        if type(value) not in (int, float) or not -most <= value <= most:
            raise self.wrong("bad_number", key, got=printable(value), least=-most, most=most)
        millionths: int = round(value * 1_000_000)
        return millionths

    def flag(self, key: str, *, default: bool | None = None) -> bool:
        """True or false."""
        value = self._take(key, default)
        if not isinstance(value, bool):
            raise self.wrong("bad_word", key, got=printable(value), words="true, false")
        return value

    def text(self, key: str, shape: re.Pattern[str], default: str | None = None) -> str:
        """A text of a shape; the default need not have it."""
        value = self._take(key, default)
        if value == default and default is not None:
            return default
        if not isinstance(value, str) or not shape.fullmatch(value):
            raise self.wrong("bad_text", key, got=printable(value), shape=shape.pattern)
        return value

    def one_of(self, key: str, words: tuple[str, ...], default: str | None = None) -> str:
        """One of some words."""
        value = self._take(key, default)
        if not isinstance(value, str) or value not in words:
            raise self.wrong("bad_word", key, got=printable(value), words=", ".join(words))
        return value

    def words(self, key: str, words: tuple[str, ...]) -> list[str]:
        """Some of some words, each once; none where there is no key."""
        value = self._take(key, [])
        if not isinstance(value, list) or any(one not in words for one in value) or len(set(value)) != len(value):
            raise self.wrong("bad_words", key, got=printable(value), words=", ".join(words))
        return value

    def time(self, key: str) -> str:
        """A time of day, HH:MM."""
        return self._time(key, self._take(key, None))

    def times(self, key: str, default: list[str] | None = None) -> list[str]:
        """From and until, two different times of day."""
        value = self._take(key, default)
        if not isinstance(value, list) or len(value) != 2:
            raise self.wrong("bad_times", key, got=printable(value))
        since, until = (self._time(key, one) for one in value)
        if since == until:
            raise self.wrong("bad_times", key, got=printable(value))
        return [since, until]

    def _time(self, key: str, value: object) -> str:
        if not isinstance(value, str) or not _TIME.fullmatch(value):
            raise self.wrong("bad_time", key, got=printable(value))
        return value

    def days(self, key: str) -> list[int]:
        """Days of the week, 1 Monday to 7 Sunday, each once; all where there is no key."""
        value = self._take(key, [1, 2, 3, 4, 5, 6, 7])
        if (
            not isinstance(value, list)
            or not value
            or any(type(day) is not int or not 1 <= day <= 7 for day in value)
            or len(set(value)) != len(value)
        ):
            raise self.wrong("bad_days", key, got=printable(value))
        return sorted(value)

    def table(self, key: str) -> Table | None:
        """A table of its own, None where there is none."""
        if key not in self._left:
            return None
        return self._of(self._left.pop(key), key, key)

    def tables(self, key: str, most: int) -> list[Table]:
        """Several, as [[key]]."""
        value = self._take(key, [])
        if not isinstance(value, list) or len(value) > most:
            raise self.wrong("bad_list", key, most=most)
        return [self._of(one, key, f"{key}[{number}]") for number, one in enumerate(value, 1)]

    def _of(self, value: object, key: str, name: str) -> Table:
        if not isinstance(value, dict):
            raise self.wrong("no_table", key)
        return Table(self.file, value, self.where(name))

    def rest(self) -> dict[str, Any]:
        """All that has not been asked for, as it stands there."""
        return dict(self._left)

    def done(self) -> None:
        """Nothing may be left. Raises Refusal."""
        for key in self._left:
            raise self.wrong("unknown_key", key)


def printable(value: object) -> str:
    """What stands there, for one line of a terminal: short, and nothing in it that a terminal obeys."""
    text = "".join(each if each.isprintable() else "?" for each in str(value)[: _SHOWN_MOST + 1])
    return text if len(text) <= _SHOWN_MOST else text[: _SHOWN_MOST - 1] + "…"
