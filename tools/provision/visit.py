"""One board and its identity, from the first look to the shut prompt. Owns the order, by which a cut is no harm.

    connect   the prompt of the development build
    look      who is it? what an earlier visit left is completed or dropped, by what the board itself says
    note      fresh keys, sealed to the platform; noted as pending before the board gets any
    write     keys beside the old ones, which go; verify: a sealed round trip; activate: one rename
    keep      record and row into the store, the old row revoked; revoke: a running gateway told so, where one is named
    lock      the release's build module; the prompt is gone

Must not know threads or arguments. README.md says what each cut leaves.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from edge_daemon.errors import Refusal
from protocol.keys import ROOT_SIZE, DeviceKeys, derive
from tools.kit.telling import Telling
from tools.label import code
from tools.provision import identity, locking
from tools.provision.device import DAMAGED, Device, Looked, NoApplication
from tools.provision.identity import Expected
from tools.provision.prompt import BoardFault, CableLost, Prompt, Stopped
from tools.records import record, store
from tools.records.store import Pending, Store

_COMES_AGAIN_WITHIN_S = 4.0
_LOOK_EVERY_S = 0.2


@dataclass(frozen=True)
class Wanted:
    """What a run was asked for. `gateway`: the control socket of one that is to be told of what is revoked."""

    platform: X25519PublicKey
    replace: bool = False
    lock: bool = True
    gateway: Path | None = None


@dataclass(frozen=True)
class Done:
    """What a board is now. `replaces`: the handle it had; `completed`: an earlier visit had given it its identity.

    `untold`: why the gateway that was named does not know that the old one is revoked. `row_here`: whether this kit
    had made the old one, and has its row revoked.
    """

    handle: str
    hardware: str
    replaces: str | None
    completed: bool
    row_here: bool
    untold: Refusal | None

    @property
    def code(self) -> str:
        """As its label says it."""
        return code.of_handle(self.handle)


class Visit:
    """Raises Refusal for a board that is not to be provisioned; and what prompt.py, identity.py and OSError name."""

    def __init__(self, port: str, wanted: Wanted, kept: Store, telling: Telling, stop: threading.Event) -> None:
        self._port = port
        self._wanted = wanted
        self._store = kept
        self._telling = telling
        self._stop = stop

    def run(self) -> Done:
        """All of it."""
        with contextlib.ExitStack() as stack:
            with self._step("connect"):
                prompt = self._connect(stack)
            device = Device(prompt)
            with self._step("look"):
                looked = self._look(device)
                build = locking.build_for(looked) if self._wanted.lock else b""
                begun = self._begun(looked)
            done = self._complete(device, looked, begun) if begun else self._give(device, looked)
            if self._wanted.lock:
                with self._step("lock"):
                    device.shut(build)
                    device.restart()
            else:
                device.restart()
        if self._wanted.lock:
            with self._step("prove_locked"):
                locking.prove(self._port, self._stop)
        self._store.drop(done.handle)
        return done

    def _connect(self, stack: contextlib.ExitStack) -> Prompt:
        """The prompt. A board without identity restarts each minute, and a chip's own USB goes with it for a moment."""
        if Path(self._port).exists() and not os.access(self._port, os.R_OK | os.W_OK):
            raise Refusal("provision.port_denied", port=self._port)
        until_s = time.monotonic() + _COMES_AGAIN_WITHIN_S
        while True:
            with contextlib.ExitStack() as attempt:
                try:
                    prompt = attempt.enter_context(Prompt(self._port, self._stop))
                    prompt.enter()
                except CableLost:
                    if time.monotonic() > until_s:
                        raise
                else:
                    stack.push(attempt.pop_all())
                    return prompt
            if self._stop.wait(_LOOK_EVERY_S):
                raise Stopped

    def _look(self, device: Device) -> Looked:
        try:
            return device.look()
        except NoApplication:
            raise Refusal("provision.no_application") from None
        except BoardFault as fault:
            raise _flash_refusal(fault) from None

    def _begun(self, looked: Looked) -> Pending | None:
        """What an earlier visit left undone on this board. Raises Refusal when it is not to be provisioned at all."""
        for pending in self._store.pending():
            if pending.handle == looked.handle and pending.record.about.hardware == looked.hardware:
                return pending
        if looked.handle and not self._wanted.replace:
            if looked.handle == DAMAGED:
                raise Refusal("provision.damaged")
            raise Refusal("provision.already", code=code.of_handle(looked.handle))
        return None

    def _replaced(self, looked: Looked) -> str | None:
        """Which identity a new one takes the place of: the board's own, else the one that it had by our books."""
        if looked.handle not in ("", DAMAGED):
            return looked.handle
        for pending in self._store.pending():
            about = pending.record.about
            if about.hardware == looked.hardware and about.replaces:
                return about.replaces
        return self._store.latest_on(looked.hardware)

    def _give(self, device: Device, looked: Looked) -> Done:
        with self._step("note"):
            keys, pending = self._fresh(looked)
        with self._step("write"):
            try:
                device.write(keys)
            except BoardFault as fault:
                raise _flash_refusal(fault) from None
        with self._step("verify"):
            self._prove(device, Expected(keys.up, keys.down, keys.id, keys.trail))
        with self._step("activate"):
            if device.activate() != pending.handle:
                raise identity.NotProved
        return self._keep(pending, completed=False)

    def _fresh(self, looked: Looked) -> tuple[DeviceKeys, Pending]:
        """New keys, noted before the board gets them; what was noted for this board before is dropped then."""
        root = secrets.token_bytes(ROOT_SIZE)
        keys = derive(root)
        made_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        sealed = record.seal(root, looked.hardware, made_at, self._replaced(looked), self._wanted.platform)
        pending = Pending(sealed, store.row(keys))
        self._store.begin(pending)
        for other in self._store.pending():
            if other.record.about.hardware == looked.hardware and other.handle != pending.handle:
                self._store.drop(other.handle)
        return keys, pending

    def _complete(self, device: Device, looked: Looked, pending: Pending) -> Done:
        """The board has what was noted for it: prove it again, and go on from there."""
        with self._step("verify"):
            device.resume()
            up, down, id_key = (bytes.fromhex(pending.row[name]) for name in ("up", "down", "id"))
            self._prove(device, Expected(up, down, id_key, None))
            if device.activate() != looked.handle:
                raise identity.NotProved
        return self._keep(pending, completed=True)

    def _prove(self, device: Device, keys: Expected) -> None:
        challenge = os.urandom(identity.CHALLENGE_SIZE)
        if not device.answer(identity.check(device.question(challenge), challenge, keys)):
            raise identity.NotProved

    def _keep(self, pending: Pending, *, completed: bool) -> Done:
        about = pending.record.about
        with self._step("keep"):
            row_here = self._store.commit(pending)
        untold = self._revoke(about.replaces) if about.replaces and self._wanted.gateway else None
        return Done(about.handle, about.hardware, about.replaces, completed, row_here, untold)

    def _revoke(self, handle: str) -> Refusal | None:
        """Tell the gateway. What it refuses is told, and stops nothing: the board has its identity by now."""
        from tools.control import client  # noqa: PLC0415  only where a gateway is named

        self._telling.begin(self._port, "revoke")
        try:
            client.ask(self._wanted.gateway or Path(), {"ask": "wearables", "revoke": [handle]})
        except Refusal as refusal:
            self._telling.end(self._port, "revoke", "failed", refusal.key, **refusal.params)
            return refusal
        self._telling.end(self._port, "revoke")
        return None

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        """Tell of a step; one that fails is ended by the verdict."""
        self._telling.begin(self._port, name)
        yield
        self._telling.end(self._port, name)


def _flash_refusal(fault: BoardFault) -> Exception:
    """A board whose flash takes nothing is set aside; any other fault is what it is."""
    return Refusal("provision.flash_fails", what=fault.what) if fault.what.startswith("OSError") else fault
