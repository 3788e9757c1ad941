"""bleak's scanner on the adapter. Owns turning reports into bleak's advertisements. Must not know connections."""

from __future__ import annotations

from typing import Any

from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.uuids import normalize_uuid_str
from bumble.core import UUID, AdvertisingData
from bumble.hci import HCI_LE_Advertising_Report_Event

from hil_tests.gateway.adapter import Adapter, Report

# As many devices as are remembered; wearables change their addresses, and BlueZ forgets them, too.
_SEEN_MOST = 1024
_SERVICES = (
    AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
)
_SERVICE_DATA = (AdvertisingData.SERVICE_DATA_16_BIT_UUID, AdvertisingData.SERVICE_DATA_128_BIT_UUID)
_SCAN_RESPONSE = HCI_LE_Advertising_Report_Event.EventType.SCAN_RSP


def uuid_text(uuid: UUID) -> str:
    """A UUID as bleak writes it."""
    return normalize_uuid_str(uuid.to_hex_str("-"))


class BumbleScanner(BaseBleakScanner):
    """Made by bleak, but for `adapter`."""

    def __init__(
        self,
        adapter: Adapter,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: str,
        **_: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._adapter = adapter
        self._active = scanning_mode == "active"

    async def start(self) -> None:
        """Begin. Raises BleakError."""
        self.seen_devices = {}
        await self._adapter.start_scan(self._report, active=self._active)

    async def stop(self) -> None:
        """End. Raises BleakError."""
        await self._adapter.stop_scan(self._report)

    def _report(self, report: Report) -> None:
        key = report.address.to_string(with_type_qualifier=False)
        data = bytes(report.data)
        if report.event_type == _SCAN_RESPONSE:
            if not data or key not in self.seen_devices:
                return
            before = self.seen_devices[key][1].platform_data
            data = bytes(before[0]) + data
        advertisement = _advertisement(data, report.rssi)
        if not self.is_allowed_uuid(advertisement.service_uuids):
            return
        if len(self.seen_devices) > _SEEN_MOST:
            del self.seen_devices[next(iter(self.seen_devices))]
        device = self.create_or_update_device(key, key, advertisement.local_name, report.address, advertisement)
        self.call_detection_callbacks(device, advertisement)


def _advertisement(data: bytes, rssi_dbm: int) -> AdvertisementData:
    """Bleak's view of advertising data; what a hostile radio sent in a form that cannot be read is left out."""
    structures = _structures(data)
    names = [
        value.decode("utf-8", "replace")
        for kind in (AdvertisingData.COMPLETE_LOCAL_NAME, AdvertisingData.SHORTENED_LOCAL_NAME)
        for value in structures.get(kind, [])
    ]
    powers = structures.get(AdvertisingData.TX_POWER_LEVEL, [])
    return AdvertisementData(
        local_name=names[0] if names else None,
        manufacturer_data={
            int.from_bytes(value[:2], "little"): value[2:]
            for value in structures.get(AdvertisingData.MANUFACTURER_SPECIFIC_DATA, [])
            if len(value) >= 2
        },
        service_data=_service_data(structures),
        service_uuids=_service_uuids(structures),
        tx_power=int.from_bytes(powers[0], "little", signed=True) if powers else None,
        rssi=rssi_dbm,
        platform_data=(data,),
    )


def _structures(data: bytes) -> dict[int, list[bytes]]:
    """Length, type, value … (Core Specification, Vol 3 Part C 11); ends at the first that does not fit."""
    found: dict[int, list[bytes]] = {}
    at = 0
    while at + 1 < len(data) and data[at] and at + 1 + data[at] <= len(data):
        found.setdefault(data[at + 1], []).append(data[at + 2 : at + 1 + data[at]])
        at += 1 + data[at]
    return found


def _service_uuids(structures: dict[int, list[bytes]]) -> list[str]:
    found = []
    for kind in _SERVICES:
        size = 16 if "128" in AdvertisingData.Type(kind).name else 2
        for value in structures.get(kind, []):
            found += [uuid_text(UUID.from_bytes(value[at : at + size])) for at in range(0, len(value) - size + 1, size)]
    return found


def _service_data(structures: dict[int, list[bytes]]) -> dict[str, bytes]:
    found = {}
    for kind, size in zip(_SERVICE_DATA, (2, 16), strict=True):
        for value in structures.get(kind, []):
            if len(value) >= size:
                found[uuid_text(UUID.from_bytes(value[:size]))] = value[size:]
    return found
