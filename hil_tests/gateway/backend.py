"""Makes plain bleak use the Bumble back end. Owns the two names that bleak looks up.

The daemon is also kept from asking this machine's own bluetoothd about an adapter that it does not have.
"""

from __future__ import annotations

import functools
import os
from typing import Any

import bleak

from hil_tests.gateway.adapter import Adapter
from hil_tests.gateway.client import BumbleClient
from hil_tests.gateway.scanner import BumbleScanner

_NAME = "bumble"


def install(adapter: Adapter) -> None:
    """From now on BleakScanner and BleakClient work on `adapter`. bleak has no other place to choose a back end."""
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/nonexistent/no-system-bus-on-the-bench"
    names: Any = bleak
    names.get_platform_scanner_backend_type = lambda: (functools.partial(BumbleScanner, adapter), _NAME)
    names.get_platform_client_backend_type = lambda: (functools.partial(BumbleClient, adapter), _NAME)
