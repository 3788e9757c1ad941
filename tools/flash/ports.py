"""On which serial ports boards are. Owns telling boards from other serial devices by their USB identity."""

from __future__ import annotations

from pathlib import Path

from edge_daemon.errors import Refusal

# The chips' own USB, and the bridges that boards with an ESP32 carry: Espressif, Silicon Labs, WCH, FTDI.
_VENDORS = (0x303A, 0x10C4, 0x1A86, 0x0403)


def chosen(wanted: list[str] | None) -> list[str]:
    """The ports to work on. None: the only board there is; ["all"]: every one. Raises Refusal."""
    if wanted and wanted != ["all"]:
        missing = [port for port in wanted if not Path(port).exists()]
        if missing:
            raise Refusal("flash.no_port", ports=", ".join(missing), found=", ".join(_boards()) or "-")
        return list(dict.fromkeys(wanted))
    boards = _boards()
    if not boards:
        raise Refusal("flash.no_boards")
    if len(boards) > 1 and not wanted:
        raise Refusal("flash.which_port", ports=", ".join(boards))
    return boards


def _boards() -> list[str]:
    from serial.tools import list_ports  # noqa: PLC0415 # slow, and only needed here

    return sorted(port.device for port in list_ports.comports() if port.vid in _VENDORS)
