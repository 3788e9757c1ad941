"""Several boards at once: a thread and an esptool for each, and one verdict for each.

Owns that one board's failure is not another's, and what Ctrl-C does. Must not know the steps.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable

from edge_daemon.errors import Refusal
from tools.flash import esptool
from tools.flash.flashing import Refused
from tools.kit.telling import Telling

_LOOK_EVERY_S = 0.2
# esptool takes the bytes of a read one by one, and a chip does not wait for it for ever.
_PER_CORE = 4
# What one board is put through; it raises what `_one` tells.
Work = Callable[[], None]


def run(works: dict[str, Work], telling: Telling, stop: threading.Event) -> dict[str, str]:
    """Port -> state. On Ctrl-C `stop` is set, every board is told to be stopped, and KeyboardInterrupt goes on."""
    states: dict[str, str] = {}
    # Not Thread.join: interrupted by Ctrl-C it takes the thread for ended (CPython issue 90882).
    ended = threading.Semaphore(0)
    at_once = threading.Semaphore(_PER_CORE * (os.cpu_count() or 1))
    for port, work in works.items():
        work_in_turn = functools.partial(_in_turn, work, at_once, stop)
        arguments = (port, work_in_turn, telling, states, ended)
        threading.Thread(target=_one, args=arguments, name=f"flash {port}").start()
    waiting = len(works)
    try:
        while waiting:
            waiting -= ended.acquire(timeout=_LOOK_EVERY_S)
    except KeyboardInterrupt:
        stop.set()
        for _ in range(waiting):
            ended.acquire()
        raise
    return states


def exit_code(states: dict[str, str]) -> int:
    """1 when any failed, else 2 when any was refused, else 0."""
    if "failed" in states.values():
        return 1
    return 2 if "refused" in states.values() else 0


def _in_turn(work: Work, at_once: threading.Semaphore, stop: threading.Event) -> None:
    with at_once:
        if stop.is_set():
            raise esptool.Stopped
        work()


def _one(port: str, work: Work, telling: Telling, states: dict[str, str], ended: threading.Semaphore) -> None:
    states[port] = "failed"
    try:
        work()
        states[port] = "done"
        telling.verdict(port, "done", "flash.done")
    except (Refused, Refusal) as refused:
        states[port] = "refused"
        names = refused.names if isinstance(refused, Refused) else refused.params
        telling.verdict(port, "refused", refused.key, **names)
    except esptool.Stopped:
        states[port] = "stopped"
        telling.verdict(port, "stopped", "flash.stopped")
    except esptool.ToolFailed as failed:
        telling.verdict(port, "failed", failed.key, **failed.names)
    except Exception as error:  # noqa: BLE001 # one board's fault, whatever it is, must not end the others
        telling.verdict(port, "failed", "flash.tool_failed", why=repr(error))
    finally:
        ended.release()
