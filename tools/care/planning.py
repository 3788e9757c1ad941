"""`pingan care plan`: wearers' files into sealed boxes, and those to the desk or into a file. Owns the order of it.

All that can be wrong with a file is said before a version is taken. What the desk refuses as too old is made once more
above what it has, where our own versions had been lost; never where somebody else has made a newer one meanwhile.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from edge_daemon.errors import Refusal
from protocol.keys import DeviceKeys
from tools.care import boxes, content, roots, wearer
from tools.care.at_desk import AtDesk, NotGiven, TooOld
from tools.care.versions import Versions, default_directory
from tools.care.wearer import Wearer
from tools.kit.telling import Telling
from tools.messages import Messages
from tools.records import files


class _Planning:
    """One run, and how it went."""

    def __init__(self, arguments: argparse.Namespace, telling: Telling) -> None:
        self._arguments = arguments
        self._telling = telling
        self._rows: list[dict[str, Any]] = []
        self.refused = self.failed = 0
        self._seen: set[str] = set()
        self._desk = None if arguments.dry_run or arguments.out is not None else AtDesk(arguments.desk)
        self._versions = None if arguments.dry_run else Versions(arguments.store or default_directory())

    def file(self, path: Path) -> None:
        """One wearer's file, to its verdict."""
        shown = str(path)
        try:
            one = wearer.read(path, self._arguments.profiles)
            shown = one.shown
            self._check(one, path)
            if self._versions is None:
                self._telling.verdict(shown, "would", "care.plan.good", wearable=one.handle, profile=one.profile.name)
            else:
                self._make(one, roots.of(self._arguments.keys, one.handle), self._versions)
        except Refusal as refusal:
            self.refused += 1
            self._telling.verdict(shown, "refused", refusal.key, **{**refusal.params, **_named(refusal, shown)})
        except NotGiven as error:
            self.failed += 1
            self._telling.verdict(shown, "failed", "care.plan.not_given", url=self._arguments.desk, why=str(error))

    def _check(self, one: Wearer, path: Path) -> None:
        content.plan(one)
        if one.handle in self._seen:
            raise Refusal("care.same_wearable", file=path, wearable=one.shown)
        self._seen.add(one.handle)

    def _make(self, one: Wearer, keys: DeviceKeys, versions: Versions) -> None:
        names = one.handle, one.profile.name, one.centre, one.guardian
        version = versions.take(*names)
        if self._desk is None:
            self._rows.append(boxes.sealed(one, keys, version))
            _write(self._arguments.out, self._rows)
            facts = {"wearable": one.handle, "version": version, "file": self._arguments.out}
            self._telling.verdict(one.shown, "done", "care.plan.written", **facts)
            return
        try:
            kept = self._desk.give(boxes.sealed(one, keys, version))
        except TooOld as older:
            last = versions.last(one.handle)
            if last is None or last.version != version:
                raise Refusal("care.overtaken", wearable=one.shown, version=older.highest) from older
            version = versions.take(*names, above=older.highest)
            try:
                kept = self._desk.give(boxes.sealed(one, keys, version))
            except TooOld as newer:
                raise Refusal("care.overtaken", wearable=one.shown, version=newer.highest) from newer
        facts = {"wearable": one.handle, "version": version, "gateways": len(kept.get("gateways") or [])}
        self._telling.verdict(one.shown, "done", "care.plan.given", **facts)


def _named(refusal: Refusal, shown: str) -> dict[str, str]:
    """A wearable is named as its label does."""
    return {"wearable": shown} if "wearable" in refusal.params else {}


def run(arguments: argparse.Namespace, words: Messages) -> int:
    """All files that were named. Raises Refusal for what is wrong with all of them."""
    if arguments.keys is None and not arguments.dry_run:
        raise Refusal("care.needs_keys")
    with Telling("care plan", words, as_json=arguments.json) as telling:
        planning = _Planning(arguments, telling)
        for path in arguments.files:
            planning.file(path)
    return 2 if planning.refused else 1 if planning.failed else 0


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    """A whole down/care message so far, for whoever brings it to a platform."""
    try:
        files.replace_json(path, {"v": 1, "rows": rows})
    except OSError as error:
        raise Refusal("record.not_written", file=error.filename or path, why=error.strerror) from error
