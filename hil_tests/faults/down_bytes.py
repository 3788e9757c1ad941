"""Bytes that a broker might deliver: the contract's own examples, spoiled by somebody who knows the schemas, and raw.

Owns the generator. Knows protocol/platform/; not the daemon, nor which of the bytes are valid (valid_words.py).
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

_EXAMPLES = Path(__file__).resolve().parents[2] / "protocol" / "platform" / "examples"
_DOWN = {
    "answer": ("answer", "answer_busy_refused"),
    "stranger": ("stranger_answer",),
    "command": ("command",),
    "alive": ("alive", "heartbeat"),
}
KINDS = (*_DOWN, "answers", "", "ANSWER", "event")
_WORDS = ("accepted", "answered", "closed", "busy", "refused")
_BIG = 256 * 1024
# One in so many is as large as a message may be, or larger; they cost a thousand others each.
_BIG_ONE_IN = 500
# So many of all messages would take a real alarm away, were it not for one thing.
_ALMOST = 0.08

# JSON texts to put where a value was. Some are no JSON.
_LITERALS = (
    *("null", "true", "false", "0", "1", "1.0", "1e0", "-1", "-0", "0.5", "10.0", "60", "61", "600", "1e308", "1e999"),
    *("NaN", "-Infinity", "9" * 400, "9" * 5000, "-1e-400", "604801", "0x10", "01", "[]", "{}", "[[]]", "[null]"),
    *('""', '"1"', '"accepted"', '"ACCEPTED"', '"closed"', '"\\ud800"', '"\\u0000"', '"\\ud83d\\ude00"', '"\\n"'),
    *(
        '"heartbeat"',
        '"locate"',
        '"revoked"',
        '"00"',
        '" "',
        "'x'",
        "undefined",
        "",
        '"\ud7ff"',
        '{"v":1}',
        '["accepted"]',
    ),
)


class DownBytes:
    """`names`: event identities that are real, put into many messages; `handles`, `rids` likewise. May be changed."""

    def __init__(self, chance: random.Random) -> None:
        self.names: list[str] = []
        self.handles: list[str] = []
        self.rids: list[str] = []
        self._chance = chance
        self._examples = {
            kind: [json.loads((_EXAMPLES / f"{name}.json").read_text()) for name in names]
            for kind, names in _DOWN.items()
        }
        self._commands = 0

    def make(self) -> tuple[str, bytes]:
        """(kind: the last level of the topic, payload)."""
        if self.names and self._chance.random() < _ALMOST:
            return "answer", self._almost()
        kind = self._chance.choice(KINDS) if self._chance.random() < 0.1 else self._chance.choice(tuple(_DOWN))
        if self._chance.random() < 0.1:
            return kind, self._raw()
        text = self._text(self._example(kind))
        data = text.encode("utf-8", "surrogatepass")
        return kind, self._spoiled(data) if self._chance.random() < 0.2 else data

    def _almost(self) -> bytes:
        """A word about a real event that would be valid but for one thing."""
        name, word = self._chance.choice(self.names), self._chance.choice(_WORDS)
        text = json.dumps({"v": 1, "answers": [{"event": name, "answer": word}]})
        spoiled = (
            text.replace(word, word.upper()),
            text.replace(word, word + "\\n"),
            text.replace(word, " " + word),
            text.replace(f'"{word}"', f'["{word}"]'),
            text.replace(name, name.upper()),
            text.replace(name, name + " "),
            text.replace(name, name + "\\n"),
            text.replace(name, name[:-1]),
            text.replace("1,", "true,", 1),
            text.replace("1,", '"1",', 1),
            text.replace("1,", "2,", 1),
            text.replace("1,", "[1],", 1),
            text.replace("v", "V", 1),
            text.replace("[", '{"0":', 1).replace("]", "}", 1),
            f"[{text}]",
            text + text,
            text[:-1],
            "\ufeff" + text,
            "\0" + text,
            " " * _BIG + text,
        )
        at = self._chance.randrange(len(spoiled) * 30)
        # The last one is large: seldom.
        if at == 0:
            return spoiled[-1].encode()
        encoding = self._chance.choice(("utf-16", "utf-16-le", "utf-32-be"))
        return text.encode(encoding) if at % 10 == 0 else spoiled[at % (len(spoiled) - 1)].encode()

    def _example(self, kind: str) -> Any:
        example = json.loads(json.dumps(self._chance.choice(self._examples.get(kind, self._examples["answer"]))))
        for row in example.get("answers", ()):
            if self.names and self._chance.random() < 0.03:
                row["event"] = self._chance.choice(self.names)
            if self._chance.random() < 0.5:
                row["answer"] = self._chance.choice(_WORDS)
        for row in example.get("frames", ()):
            if self.rids and self._chance.random() < 0.5:
                row["rid"] = self._chance.choice(self.rids)
        if "command" in example:
            self._commands += 1
            example["command"] = f"c-{self._commands % 20_000}"
            if self.handles and self._chance.random() < 0.5:
                example["wearable"] = self._chance.choice(self.handles)
            if self._chance.random() < 0.3:
                example |= {"name": "heartbeat", "wearable": None}
        return example

    def _text(self, example: Any) -> str:
        """The example as JSON, a few of its values, names and places changed."""
        raw: dict[str, str] = {}
        for _ in range(self._chance.choice((0, 1, 1, 1, 2, 4))):
            self._change(example, raw)
        text = json.dumps(example, ensure_ascii=self._chance.random() < 0.5)
        for mark, literal in raw.items():
            text = text.replace(f'"{mark}"', literal)
        if self._chance.random() < 0.1:
            # A name twice: the last one counts, or the first; nobody has said.
            text = text.replace("{", '{"v": 1, "answer": "accepted", "event": 7, ', self._chance.randrange(1, 3))
        return text

    def _change(self, example: Any, raw: dict[str, str]) -> None:
        places = list(_places(example))
        if not places:
            return
        holder, key = self._chance.choice(places)
        what = self._chance.randrange(8)
        if what == 0:
            del holder[key]
        elif what == 1 and isinstance(holder, dict):
            holder[self._chance.choice((key.upper(), key + " ", "", "x" * 300, "\u0130", key + "\0"))] = holder.pop(key)
        elif what == 2 and isinstance(holder, dict):
            holder[self._chance.choice(("of_version_2", "__class__", "v2", "reason"))] = holder[key]
        elif what == 3 and isinstance(holder, list):
            holder *= self._chance.choice((0, 2, 50))
        else:
            mark = f"@{len(raw)}@"
            raw[mark] = self._literal()
            holder[key] = mark

    def _literal(self) -> str:
        chance = self._chance.randrange(_BIG_ONE_IN)
        if chance == 0:
            return '"' + self._chance.choice("a\u00e9\u4e2d") * (_BIG // self._chance.choice((1, 4))) + '"'
        if chance == 1:
            depth = self._chance.choice((10, 300, 900, 990, 5000, 100_000))
            return (
                self._chance.choice(("[", '{"a":')) * depth + "1" + self._chance.choice(("]" * depth, "}" * depth, ""))
            )
        if chance == 2:
            return "[" + ",".join(["{}"] * 20_000) + "]"
        return self._chance.choice(_LITERALS)

    def _raw(self) -> bytes:
        size = self._chance.choice((0, 1, 3, 20, 200, 200, 200, 2000))
        if self._chance.randrange(_BIG_ONE_IN) == 0:
            size = _BIG + self._chance.choice((-1, 0, 1))
        return self._chance.randbytes(size)

    def _spoiled(self, data: bytes) -> bytes:
        what, at = self._chance.randrange(7), self._chance.randrange(len(data) + 1)
        if what == 0:
            return data[:at]
        if what == 1:
            return data[:at] + b"\0" + data[at:]
        if what == 2:
            return data.decode("utf-8", "replace").encode(
                self._chance.choice(("utf-16", "utf-16-be", "utf-32", "utf-8-sig"))
            )
        if what == 3:
            return data + data
        if what == 4:
            return b" " * self._chance.choice((1, 1000)) + data + b"\n"
        return data[:at] + self._chance.randbytes(self._chance.randrange(4)) + data[at + self._chance.randrange(4) :]


def _places(value: Any) -> Any:
    """(container, key) of everything in a JSON value."""
    rows = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(rows):
        yield value, key
        yield from _places(inner)
