"""The way by SMS over a real modem and a real SIM. It costs money, so it runs when it is asked for:

PINGAN_MODEM=/dev/ttyUSB2 PINGAN_MODEM_NUMBERS=numbers.txt [PINGAN_MODEM_PIN=pin.txt] python -m pytest \
    tests/edge_daemon/test_sms_real.py

The numbers stand one a line in a file of mode 0600; each gets one SMS that says test=1.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from pathlib import Path

import pytest

from edge_daemon import private
from edge_daemon.clock import Clock
from edge_daemon.config import Sms
from edge_daemon.counters import Counters
from edge_daemon.uplinks.sms.sms import SmsUplink
from protocol.sms_text import SmsEvent, pack

PORT = os.environ.get("PINGAN_MODEM", "")
NUMBERS_FILE = os.environ.get("PINGAN_MODEM_NUMBERS", "")
REGISTERED_WITHIN_S = 120.0
DELIVERED_WITHIN_S = 300.0

pytestmark = [
    pytest.mark.skipif(not PORT or not NUMBERS_FILE, reason="no PINGAN_MODEM=<port> with PINGAN_MODEM_NUMBERS=<file>"),
    pytest.mark.timeout(600),
]


async def test_a_test_message_is_taken_by_the_network_and_reported_on(tmp_path: Path) -> None:
    numbers = private.read(Path(NUMBERS_FILE)).decode().split()
    settings = Sms(True, PORT, numbers=numbers, pin_file=os.environ.get("PINGAN_MODEM_PIN", ""))
    uplink = SmsUplink(settings, tmp_path, Clock(), Counters())
    running = asyncio.create_task(uplink.run())
    try:
        async with asyncio.timeout(REGISTERED_WITHIN_S):
            while not uplink.ready:
                await asyncio.sleep(0.2)
        print("registered, dBm:", uplink.signal_dbm)
        event = f"{secrets.token_hex(8)}-000001"
        deliveries = await uplink.send(pack(SmsEvent("gw-test", event, "path_test_sms", 0, "exact", test=True)))
        assert all(delivery.went_out for delivery in deliveries)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DELIVERED_WITHIN_S):
                while any(delivery.state == "taken" for delivery in deliveries):
                    await asyncio.sleep(0.5)
        # A network may give no reports; what it says must not be a failure.
        print("states:", [str(delivery.state) for delivery in deliveries])
        assert all(delivery.state in ("taken", "delivered") for delivery in deliveries)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
