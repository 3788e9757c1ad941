"""Several boards at once: a thread for each, and one verdict for each.

Owns how every end is told, that one board's is not another's, and what Ctrl-C does. Must not know the steps.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from serial.tools import list_ports

from edge_daemon.errors import Refusal
from tools.kit.telling import Telling
from tools.label import code
from tools.provision.identity import NotProved
from tools.provision.locking import NotLocked
from tools.provision.prompt import BoardFault, CableLost, NoPrompt, PortBusy, Stopped
from tools.provision.visit import Done
from tools.records.store import Store

_LOOK_EVERY_S = 0.2

# What a visit raises: how it ended, and why.
_ENDS: dict[type[Exception], tuple[str, str]] = {
    PortBusy: ("refused", "provision.port_busy"),
    Stopped: ("stopped", "provision.stopped"),
    CableLost: ("failed", "provision.cable_lost"),
    NotProved: ("failed", "provision.not_proved"),
    NotLocked: ("failed", "provision.not_locked"),
}


@dataclass
class End:
    """How it ended for a board."""

    state: str = "failed"
    done: Done | None = None


Work = Callable[[], Done]


def run(works: dict[str, Work], kept: Store, telling: Telling, stop: threading.Event) -> dict[str, End]:
    """Port -> end. On Ctrl-C every board is told to be stopped, and KeyboardInterrupt goes on."""
    ends = {port: End() for port in works}
    # Not Thread.join(): a Ctrl-C within it has Python 3.11 take a living thread for a dead one.
    with ThreadPoolExecutor(max(1, len(works)), thread_name_prefix="provision") as pool:
        workers = [pool.submit(_one, port, work, kept, telling, ends[port]) for port, work in works.items()]
        try:
            while wait(workers, _LOOK_EVERY_S).not_done:
                pass
        except KeyboardInterrupt:
            stop.set()
            wait(workers)
            raise
    return ends


def exit_code(ends: dict[str, End]) -> int:
    """1 when any failed, else 2 when any was refused, else 0."""
    states = {end.state for end in ends.values()}
    if "failed" in states:
        return 1
    return 2 if "refused" in states else 0


def _one(port: str, work: Work, kept: Store, telling: Telling, end: End) -> None:
    def say(state: str, reason: str, **names: Any) -> None:
        end.state = state
        telling.verdict(port, state, reason, **names)

    try:
        end.done = work()
        _say_done(end.done, say)
    except Refusal as refusal:
        say("refused", refusal.key, **refusal.params)
    except NoPrompt:
        _say_shut(port, kept, end, say)
    except tuple(_ENDS) as known:
        say(*_ENDS[type(known)], port=port)
    except BoardFault as fault:
        say("failed", "provision.board_fault", what=fault.what)
    except Exception as error:  # noqa: BLE001 # one board's fault must not end the others; its words may be keys
        say("failed", "provision.fault", what=type(error).__name__)


def _say_done(done: Done, say: Callable[..., None]) -> None:
    facts = {"wearable": done.handle, "code": done.code, "hardware": done.hardware, "replaces": done.replaces}
    if done.untold:
        say("failed", "provision.gateway_not_told", **facts, why=done.untold.key, old=_code(done.replaces))
    elif not done.row_here:
        say("done", "provision.done_elsewhere", **facts, old=_code(done.replaces))
    else:
        say("done", "provision.completed" if done.completed else "provision.done", **facts)


def _code(handle: str | None) -> str:
    return code.of_handle(handle) if handle else ""


def _say_shut(port: str, kept: Store, end: End, say: Callable[..., None]) -> None:
    """A board without a prompt. One that this kit has locked is known by its USB serial number, where it has one."""
    hardware = _usb_number(port)
    for pending in kept.pending():
        about = pending.record.about
        if about.hardware == hardware and about.handle in kept.handles():
            # All was done and kept; the proof that it is locked was missing, and here it is.
            row_here = kept.commit(pending)
            kept.drop(pending.handle)
            end.done = Done(about.handle, hardware, about.replaces, completed=True, row_here=row_here, untold=None)
            _say_done(end.done, say)
            return
    known = kept.latest_on(hardware) if hardware else None
    if known:
        say("refused", "provision.locked", code=_code(known))
    else:
        say("refused", "provision.no_prompt")


def _usb_number(port: str) -> str:
    """What the board's own USB says of its chip, as records have it; "" where a bridge stands between."""
    numbers = [
        found.serial_number or ""
        for found in list_ports.comports()
        if os.path.realpath(port) == os.path.realpath(found.device)
    ]
    return numbers[0].replace(":", "").lower() if numbers else ""
