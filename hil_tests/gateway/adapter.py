"""The adapter behind bleak's back end: one Bumble host on one HCI socket, opened at first use and again when lost.

Owns the host, the scan and the one connection attempt that a controller can make at a time. Must not know bleak's
classes, only its error. What Bumble and the socket raise leaves this package as BleakError or TimeoutError.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bleak.exc import BleakError
from bumble import core, hci
from bumble.device import Connection, Device
from bumble.host import Host
from bumble.transport import open_transport
from bumble.transport.common import Transport

from hil_tests.gateway.race import unless_ended

Report = hci.HCI_LE_Advertising_Report_Event.Report
Listener = Callable[[Report], None]

_OPEN_WITHIN_S = 5.0
_CANCEL_WITHIN_S = 2.0
# As Linux (HCI_LE_AUTOCONN_TIMEOUT): so long the controller tries for one wearable before others get their turn.
_TURN_S = 4.0
_CONNECTABLE = (
    hci.HCI_LE_Advertising_Report_Event.EventType.ADV_IND,
    hci.HCI_LE_Advertising_Report_Event.EventType.ADV_DIRECT_IND,
)


class _Host(Device):
    """Bumble's device, but each report goes to the listeners as it comes.

    Bumble keeps an advertisement back until its scan response, or the next one, has come: a burst's only frame that
    got through would never be heard. It also remembers every address for ever.
    """

    def __init__(self, listeners: list[Listener], transport: Transport) -> None:
        host = Host(*transport)
        super().__init__("gateway", hci.Address.generate_static_address(), host=host)
        self._report_listeners = listeners

    def on_advertising_report(self, report: Report | hci.HCI_LE_Extended_Advertising_Report_Event.Report) -> None:
        assert isinstance(report, Report)
        for listener in list(self._report_listeners):
            listener(report)


class Adapter:
    """`spec`: a Bumble transport, `unix:/path` or `tcp-client:host:port`."""

    def __init__(self, spec: str) -> None:
        self._spec = spec
        self._host: _Host | None = None
        self._transport: Transport | None = None
        self._lost: asyncio.Future[str] | None = None
        self._opening = asyncio.Lock()
        self._turn = asyncio.Lock()
        self._scanners: list[Listener] = []
        # Whom the present turn is for; what ends connections that are nobody's.
        self._wanted: hci.Address | None = None
        self._endings: set[asyncio.Future[None]] = set()

    async def open(self) -> Device:
        """The host, opened if it is not open. Raises BleakError when there is no adapter."""
        async with self._opening:
            if self._host is not None and self._lost is not None and not self._lost.done():
                return self._host
            await self.close()
            try:
                async with asyncio.timeout(_OPEN_WITHIN_S):
                    return await self._open()
            except (OSError, TimeoutError, core.BaseBumbleError) as error:
                await self.close()
                raise BleakError(f"no adapter at {self._spec}: {error or type(error).__name__}") from error

    async def _open(self) -> Device:
        self._transport = await open_transport(self._spec)
        host = _Host(self._scanners, self._transport)
        lost = self._lost = asyncio.get_running_loop().create_future()

        def gone() -> None:
            if not lost.done():
                lost.set_result("the adapter has gone")

        host.on(Device.EVENT_FLUSH, gone)
        host.on(Device.EVENT_CONNECTION, self._came)
        await host.power_on()
        self._host = host
        return host

    async def close(self) -> None:
        """Give the adapter back."""
        transport, self._transport, self._host = self._transport, None, None
        if transport is not None:
            await transport.close()

    # ---- scanning ----

    async def start_scan(self, listener: Listener, *, active: bool) -> None:
        """Let `listener` have each report from now on. Raises BleakError."""
        host = await self.open()
        self._scanners.append(listener)
        try:
            if not host.is_scanning:
                await self._do(host.start_scanning(active=active, filter_duplicates=False))
        except BaseException:
            self._scanners.remove(listener)
            raise

    async def stop_scan(self, listener: Listener) -> None:
        """No more reports for `listener`. The last one turns the scan off. Raises BleakError."""
        with suppress(ValueError):
            self._scanners.remove(listener)
        if not self._scanners and self._host is not None and self._host.is_scanning and not self._is_lost():
            await self._do(self._host.stop_scanning())

    def _is_lost(self) -> bool:
        return self._lost is None or self._lost.done()

    # ---- connecting ----

    async def connect(self, address: hci.Address) -> Connection:
        """Connect when `address` is heard advertising; for ever, so bound it. Raises BleakError.

        As Linux does it: any number wait to be heard, and only who has been heard takes the controller, so a wearable
        that has left keeps nobody else waiting.
        """
        while True:
            host = await self.open()
            if host.is_scanning:
                await self._heard(address)
            async with self._turn:
                if connection := await self._try(host, address):
                    return connection

    async def _heard(self, address: hci.Address) -> None:
        lost = self._lost
        assert lost is not None
        heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def listen(report: Report) -> None:
            if report.event_type in _CONNECTABLE and report.address == address and not heard.done():
                heard.set_result(None)

        async def wait() -> None:
            await heard

        self._scanners.append(listen)
        try:
            await unless_ended(wait(), lost)
        finally:
            self._scanners.remove(listen)

    async def _try(self, host: Device, address: hci.Address) -> Connection | None:
        """One turn at the controller. None when the wearable did not advertise during it."""
        attempt = asyncio.ensure_future(
            host.connect(address, core.PhysicalTransport.LE, own_address_type=hci.OwnAddressType.PUBLIC)
        )
        made: Connection | None = None
        self._wanted = address
        try:
            either: set[asyncio.Future[Any]] = {attempt, self._lost_now()}
            await asyncio.wait(either, timeout=_TURN_S, return_when=asyncio.FIRST_COMPLETED)
            if attempt.done():
                made = attempt.result()
            elif self._is_lost():
                raise BleakError("the adapter has gone")
        except (core.BaseBumbleError, hci.HCI_Error) as error:
            raise BleakError(f"connecting failed: {error}") from error
        finally:
            if made is None:  # also where it was made in the very moment in which we were cancelled
                await asyncio.shield(asyncio.ensure_future(self._give_up(host, attempt)))
            self._wanted = None
        return made

    def _came(self, connection: Connection) -> None:
        """A connection stands. One that was given up and comes late would keep the wearable from all, for ever."""
        if connection.role == hci.Role.CENTRAL and connection.peer_address != self._wanted:
            ending = asyncio.ensure_future(_end(connection))
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)

    def _lost_now(self) -> asyncio.Future[str]:
        assert self._lost is not None
        return self._lost

    async def _give_up(self, host: Device, attempt: asyncio.Future[Connection]) -> None:
        """End an attempt; what it brought in its last moment is closed again."""
        try:
            async with asyncio.timeout(_CANCEL_WITHIN_S):
                if not self._is_lost() and not attempt.done():
                    await host.host.send_command(hci.HCI_LE_Create_Connection_Cancel_Command())
                await asyncio.wait({attempt})
        except (TimeoutError, core.BaseBumbleError, hci.HCI_Error):
            attempt.cancel()
        if attempt.done() and not attempt.cancelled() and attempt.exception() is None:
            await _end(attempt.result())

    async def _do(self, work: object) -> None:
        try:
            await unless_ended(work, self._lost_now())  # type: ignore[arg-type]
        except (core.BaseBumbleError, hci.HCI_Error) as error:
            raise BleakError(str(error)) from error


async def _end(connection: Connection) -> None:
    with suppress(core.BaseBumbleError, hci.HCI_Error, TimeoutError):
        async with asyncio.timeout(_CANCEL_WITHIN_S):
            await connection.disconnect()
