"""The USB plug in a sysfs of ours."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edge_daemon.links import ble_usb
from edge_daemon.links.ble_usb import UsbPlug


def _tree(root: Path, *adapters: str) -> tuple[Path, Path]:
    """/sys/class/bluetooth and the USB device that all these adapters are in."""
    device = root / "devices/pci0/usb1/1-1"
    sysfs = root / "class/bluetooth"
    sysfs.mkdir(parents=True)
    for name in adapters:
        place = device / f"1-1:1.0/bluetooth/{name}"
        place.mkdir(parents=True)
        (sysfs / name).symlink_to(place)
    for hub in (device, device.parent):
        hub.mkdir(parents=True, exist_ok=True)
        (hub / "idVendor").write_text("0bda")
        (hub / "authorized").write_text("as it was")
    if adapters:
        # An interface has this file, too; switching it would not take power from the device.
        (device / "1-1:1.0/authorized").write_text("as it was")
    return sysfs, device


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ble_usb, "_OUT_S", 0.05)


@pytest.mark.parametrize("adapter", ["hci0", ""])
async def test_the_device_is_switched_and_neither_its_hub_nor_its_interface(tmp_path: Path, adapter: str) -> None:
    sysfs, device = _tree(tmp_path, "hci0")
    reset = asyncio.create_task(UsbPlug(sysfs).reset(adapter))
    async with asyncio.timeout(10):
        while (device / "authorized").read_text() != "0":
            await asyncio.sleep(0.001)
    assert await reset
    assert (device / "authorized").read_text() == "1"
    assert (device.parent / "authorized").read_text() == "as it was"
    assert (device / "1-1:1.0/authorized").read_text() == "as it was"


async def test_a_dead_adapter_is_found_where_it_was(tmp_path: Path) -> None:
    sysfs, device = _tree(tmp_path, "hci0")
    plug = UsbPlug(sysfs)
    plug.find("hci0")
    (sysfs / "hci0").unlink()
    assert await plug.reset("hci0")
    assert (device / "authorized").read_text() == "1"


async def test_whoever_cancels_leaves_the_adapter_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ble_usb, "_OUT_S", 60.0)
    sysfs, device = _tree(tmp_path, "hci0")
    reset = asyncio.create_task(UsbPlug(sysfs).reset("hci0"))
    async with asyncio.timeout(10):
        while (device / "authorized").read_text() != "0":
            await asyncio.sleep(0.001)
    reset.cancel()
    await asyncio.gather(reset, return_exceptions=True)
    assert reset.cancelled()
    assert (device / "authorized").read_text() == "1"


async def test_a_cancelled_reset_that_fails_is_cancelled_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ble_usb, "_OUT_S", 60.0)
    sysfs, device = _tree(tmp_path, "hci0")
    reset = asyncio.create_task(UsbPlug(sysfs).reset("hci0"))
    async with asyncio.timeout(10):
        while (device / "authorized").read_text() != "0":
            await asyncio.sleep(0.001)
    (device / "authorized").unlink()
    (device / "authorized").mkdir()
    reset.cancel()
    await asyncio.gather(reset, return_exceptions=True)
    assert reset.cancelled()


async def test_an_adapter_on_a_serial_line_has_no_plug(tmp_path: Path) -> None:
    sysfs = tmp_path / "class/bluetooth"
    place = tmp_path / "devices/platform/serial0/hci0"
    place.mkdir(parents=True)
    sysfs.mkdir(parents=True)
    (sysfs / "hci0").symlink_to(place)
    assert not await UsbPlug(sysfs).reset("hci0")


async def test_of_two_adapters_none_is_guessed(tmp_path: Path) -> None:
    sysfs, _ = _tree(tmp_path, "hci0", "hci1")
    assert not await UsbPlug(sysfs).reset("")
    assert await UsbPlug(sysfs).reset("hci1")


async def test_no_bluetooth_at_all_is_no_plug(tmp_path: Path) -> None:
    assert not await UsbPlug(tmp_path / "class/bluetooth").reset("")


async def test_what_the_kernel_refuses_is_an_os_error(tmp_path: Path) -> None:
    sysfs, device = _tree(tmp_path, "hci0")
    (device / "authorized").unlink()
    (device / "authorized").mkdir()
    with pytest.raises(OSError, match="authorized"):
        await UsbPlug(sysfs).reset("hci0")
