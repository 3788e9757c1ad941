"""`pingan enrol`, `pingan revoke`, `pingan replace`. Owns their arguments and what is said of each wearable.

Exit codes: 0 all are as they are to be, 1 the gateway could not make it durable, 2 at least one was refused; what could
be done was. To do it again changes nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from edge_daemon import registry
from edge_daemon.errors import Refusal
from edge_daemon.key_file import Change
from tools.enrol.gateway import AT_ONCE, Gateway
from tools.enrol.gathering import Named, Rows, named
from tools.kit.telling import Telling
from tools.label import code
from tools.messages import Messages

if TYPE_CHECKING:
    from tools.cli_types import Commands

_DEFAULT = Path("/etc/pingan/gateway.toml")


def register(commands: Commands, words: Messages) -> None:
    """Add the three."""
    parser = _command(commands, words, "enrol", enrol)
    parser.add_argument("codes", nargs="*", metavar="CODE|LIST", help=words.text("enrol.option.codes"))
    _rows_options(parser, words)
    parser = _command(commands, words, "revoke", revoke)
    parser.add_argument("codes", nargs="+", metavar="CODE|LIST", help=words.text("enrol.option.codes"))
    parser.add_argument("--forget", action="store_true", help=words.text("revoke.option.forget"))
    parser = _command(commands, words, "replace", replace)
    parser.add_argument("old", metavar="OLD", help=words.text("replace.option.old"))
    parser.add_argument("new", metavar="NEW", help=words.text("replace.option.new"))
    _rows_options(parser, words)


def _command(
    commands: Commands, words: Messages, name: str, run: Callable[[argparse.Namespace, Messages], int]
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=words.text(f"{name}.help"), description=words.text(f"{name}.about"))
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--gateway", type=Path, metavar="SOCKET", help=words.text("enrol.option.gateway"))
    which.add_argument("--config", type=Path, metavar="FILE", default=_DEFAULT, help=words.text("enrol.option.config"))
    parser.add_argument("--json", action="store_true", help=words.text("kit.json"))
    parser.set_defaults(run=run)
    return parser


def _rows_options(parser: argparse.ArgumentParser, words: Messages) -> None:
    parser.add_argument("--from", dest="source", type=Path, metavar="DIR|FILE|-", help=words.text("enrol.option.from"))
    parser.add_argument("--role", choices=registry.ROLES, help=words.text("enrol.option.role"))


class _Told:
    """What became of each wearable, told as it is known."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self.refused = 0

    def done(self, one: Named, change: str, *, changed: bool, live: bool) -> None:
        """`change`: enrolled, revoked, forgotten. `live`: the gateway runs and serves by it."""
        reason = f"enrol.{change}.{'now' if live else 'later'}" if changed else f"enrol.{change}.already"
        state = "done" if changed else "skipped"
        self._telling.verdict(one.shown, state, reason, wearable=one.handle, live=live)

    def refuse(self, one: Named, refusal: Refusal) -> None:
        """Named as the person named it."""
        self.refused += 1
        names = dict(refusal.params)
        if "wearable" in names:
            names["wearable"] = one.shown
        names = {name: value if isinstance(value, int) else str(value) for name, value in names.items()}
        self._telling.verdict(one.shown, "refused", refusal.key, **names)

    @property
    def code(self) -> int:
        return 2 if self.refused else 0


def enrol(arguments: argparse.Namespace, words: Messages) -> int:
    """Enrol those named, or all of a file that is named."""
    gateway, rows = Gateway(arguments.gateway, arguments.config), Rows(arguments.source)
    if not arguments.codes and arguments.source is None:
        raise Refusal("enrol.nobody")
    everybody = named(arguments.codes) if arguments.codes else rows.all()

    def change(group: list[Named]) -> Change:
        role = {"role": arguments.role} if arguments.role else {}
        return Change(enrol=[{**rows.of(one.handle), **role} for one in group])

    return _each("enrol", everybody, gateway, change, "enrolled", arguments, words)


def revoke(arguments: argparse.Namespace, words: Messages) -> int:
    """Revoke those named, or forget them."""
    gateway = Gateway(arguments.gateway, arguments.config)

    def change(group: list[Named]) -> Change:
        handles = [one.handle for one in group]
        return Change(forget=handles) if arguments.forget else Change(revoke=handles)

    done = "forgotten" if arguments.forget else "revoked"
    return _each("revoke", named(arguments.codes), gateway, change, done, arguments, words)


def replace(arguments: argparse.Namespace, words: Messages) -> int:
    """The old one revoked and the new one enrolled in one step, in the old one's role."""
    gateway, rows = Gateway(arguments.gateway, arguments.config), Rows(arguments.source)
    old, new = (Named(code.of_handle(handle), handle) for handle in map(code.handle_of, (arguments.old, arguments.new)))
    if old.handle == new.handle:
        raise Refusal("replace.same", wearable=new.shown)
    with Telling("replace", words, as_json=arguments.json) as telling:
        told = _Told(telling)
        try:
            row = {**rows.of(new.handle), "role": arguments.role or gateway.role_of(old.handle)}
            done, live = gateway.change(Change(revoke=[old.handle], enrol=[row]))
        except Refusal as refusal:
            # Which of the two it is about, where it is about one.
            told.refuse(old if refusal.params.get("wearable") == old.handle else new, refusal)
        else:
            told.done(old, "revoked", changed=old.handle in done["revoked"], live=live)
            told.done(new, "enrolled", changed=new.handle in done["enrolled"], live=live)
    return told.code


def _each(
    command: str,
    everybody: list[Named],
    gateway: Gateway,
    change: Callable[[list[Named]], Change],
    done: str,
    arguments: argparse.Namespace,
    words: Messages,
) -> int:
    """All at once, as many as go in one request; one by one where something is wrong with one of them."""
    with Telling(command, words, as_json=arguments.json) as telling:
        told = _Told(telling)
        for one in everybody:
            if one.refusal is not None:
                told.refuse(one, one.refusal)
        good = [one for one in everybody if one.refusal is None]
        for start in range(0, len(good), AT_ONCE):
            _group(good[start : start + AT_ONCE], gateway, change, done, told)
    return told.code


def _group(
    group: list[Named], gateway: Gateway, change: Callable[[list[Named]], Change], done: str, told: _Told
) -> None:
    try:
        said, live = _changed(gateway, change, group)
    except _OfOne as wrong:
        if len(group) == 1:
            told.refuse(group[0], wrong.refusal)
        for one in group if len(group) > 1 else []:
            _group([one], gateway, change, done, told)
        return
    for one in group:
        told.done(one, done, changed=one.handle in said[done], live=live)


class _OfOne(Exception):
    """A refusal that concerns one wearable: others may go on."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.key)
        self.refusal = refusal


def _changed(
    gateway: Gateway, change: Callable[[list[Named]], Change], group: list[Named]
) -> tuple[dict[str, list[str]], bool]:
    """Raises _OfOne, or Refusal for what is wrong with the gateway and would be wrong with each."""
    try:
        wanted = change(group)
    except Refusal as refusal:
        raise _OfOne(refusal) from refusal
    try:
        return gateway.change(wanted)
    except Refusal as refusal:
        if "wearable" in refusal.params or refusal.key == "registry.too_many":
            raise _OfOne(refusal) from refusal
        raise
