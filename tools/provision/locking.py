"""Shutting a board's prompt for good, and the proof that it is shut.

Owns which build module goes on it, and what proof means: the board has started anew and gives no prompt, raw or not,
to whoever asks. That it lives is not said by this: a release says nothing on the cable. `pingan prove` hears it.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from edge_daemon.errors import Refusal
from tools import image
from tools.provision.device import Looked
from tools.provision.prompt import CableLost, NoPrompt, Prompt, Stopped

# A chip's own USB goes with a restart, and comes again.
_PORT_WITHIN_S = 15.0
# A Ctrl-C that comes before boot.py has shut it out is heard.
_STARTED_AFTER_S = 2.0
_LOOK_EVERY_S = 0.1

_compiling = threading.Lock()
_built: dict[str, tuple[str, bytes]] = {}


class NotLocked(Exception):
    """The prompt came, though the board has the release's build module."""


def build_for(looked: Looked) -> bytes:
    """The release's build module for the application that the board has. Raises Refusal when that is not this one."""
    with _compiling:
        if looked.board not in _built:
            _built[looked.board] = (image.fingerprint(looked.board), image.build_module(looked.board, release=True))
    mark, build = _built[looked.board]
    if looked.fingerprint != mark:
        raise Refusal("provision.other_application", got=looked.fingerprint, wanted=mark)
    return build


def prove(port: str, stop: threading.Event) -> None:
    """Wait for the restarted board and ask for its prompt. Raises NotLocked, CableLost, Stopped."""
    until_s = time.monotonic() + _PORT_WITHIN_S
    _wait(_STARTED_AFTER_S, stop)
    while not Path(port).exists():
        if time.monotonic() > until_s:
            raise CableLost
        _wait(_LOOK_EVERY_S, stop)
    with Prompt(port, stop) as prompt:
        try:
            prompt.enter(within_s=0)
        except NoPrompt:
            return
    raise NotLocked


def _wait(seconds: float, stop: threading.Event) -> None:
    if stop.wait(seconds):
        raise Stopped
