"""The host's Bluetooth adapter, listening for one address.

Owns the scan. Must not know what the address is for.
"""

from __future__ import annotations

import asyncio
from typing import Any


class NoEar(Exception):
    """There is no adapter here, or it is switched off."""


def hear(address: str, within_s: float) -> int | None:
    """The strongest RSSI in dBm of the first advertisements from `address`; None when none came. Raises NoEar."""
    return asyncio.run(_hear(address, within_s))


async def _hear(address: str, within_s: float) -> int | None:
    import bleak  # noqa: PLC0415 # not for other commands

    heard = asyncio.Event()
    strongest: list[int] = []

    def seen(device: Any, advertisement: Any) -> None:
        if device.address.upper() == address.upper():
            strongest.append(advertisement.rssi)
            heard.set()

    try:
        async with bleak.BleakScanner(seen), asyncio.timeout(within_s):
            await heard.wait()
    except TimeoutError:
        pass
    except (bleak.exc.BleakError, OSError) as error:
        raise NoEar(str(error)) from error
    return max(strongest, default=None)
