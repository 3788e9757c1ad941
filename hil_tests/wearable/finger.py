"""The finger on the button, by threads of its own: a tap is a tap, however busy the bench is.

Owns the button's level and its edges' times. Must not know what a press means, nor the line that carries it. Where the
bench's loop was busy for a second, its tap was a hold, and its three taps were no series.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

# Between the presses of one series.
_BETWEEN_S = 0.2
_LOOK_S = 0.005


class Finger:
    """`say` takes a line to the wearable, from any thread; `changed` wakes whoever waits, from the loop's.

    `down`: the button is. `pressed_at_s`: when it last went down, by time.monotonic().
    """

    def __init__(self, say: Callable[[str], None], changed: Callable[[], None]) -> None:
        self._say = say
        self._changed = changed
        self.down = False
        self.pressed_at_s = 0.0

    def press(self) -> float:
        """Push the button; return when."""
        self._push()
        # Asleep it hears nothing: whoever waits to wake it must look.
        self._changed()
        return self.pressed_at_s

    def release(self) -> None:
        """Let the button go."""
        self.down = False
        self._say("button up")

    async def release_after(self, held_s: float, again: int = 0) -> None:
        """Let it go then, and press as often again in the same series."""
        changed = asyncio.get_running_loop().call_soon_threadsafe
        moving = threading.Thread(target=self._move, args=(held_s, again, changed), daemon=True)
        moving.start()
        while moving.is_alive():
            await asyncio.sleep(_LOOK_S)

    def _move(self, held_s: float, again: int, soon: Callable[[Callable[[], None]], object]) -> None:
        time.sleep(held_s)
        self.release()
        for _ in range(again):
            time.sleep(_BETWEEN_S)
            self._push()
            soon(self._changed)
            time.sleep(held_s)
            self.release()

    def _push(self) -> None:
        self.down = True
        self.pressed_at_s = time.monotonic()
        self._say("button down")
