"""What each state of a wearable draws from its battery: mA, with where the figure is from. Owns the figures.

`sure` False: from memory of the data sheet or by analogy, not looked up; the table says "unverified" beside it. Must
not know how long a state lasts (energy_life.py). States are those of the virtual board's meter.
"""

from __future__ import annotations

from dataclasses import dataclass

# A start of the application: the chip's and MicroPython's own start, and ours (firmware/sos/power.py: 20 mAs).
START_S = 0.33


@dataclass(frozen=True)
class Draw:
    """`mA` on top of what the states below it draw; `source` in a few words."""

    milliamperes: float
    source: str
    sure: bool


@dataclass(frozen=True)
class Board:
    """`cell_mAh` of `cell`; `usable`: of it, until the regulator gives up and after ageing."""

    name: str
    cell: str
    cell_milliampere_hours: float
    draws: dict[str, Draw]
    usable: float = 0.85


_BLE = Draw(4.0, "mean of advertising at 100 ms over idle; ESP32-C3 data sheet has no figure", sure=False)
_BLE_FAST = Draw(12.0, "as above, at 30 ms", sure=False)
_CONNECTED = Draw(3.0, "connection events at 30 to 50 ms over idle", sure=False)
_MOTOR = Draw(60.0, "coin motor at 3 V, 10 mm", sure=False)

PENDANT = Board(
    "pendant-xiao-esp32c3",
    "LiPo 502540, 3.7 V",
    450,
    {
        "awake": Draw(20.1, "measured, 160 MHz, loop with pauses: robdobson.com 2023; ESP-AT docs say 20", sure=True),
        "asleep": Draw(0.044, "XIAO ESP32C3 board in deep sleep, 43 uA by its maker's wiki; chip 5 uA", sure=False),
        "start": Draw(26.8, "measured, 160 MHz, empty loop: robdobson.com 2023", sure=True),
        "advertising_100_ms": _BLE,
        "advertising_30_ms": _BLE_FAST,
        "connected": _CONNECTED,
        "led": Draw(5.0, "one LED by its resistor on our board", sure=False),
        "motor": _MOTOR,
    },
)
WATCH = Board(
    "watch-t-watch-s3",
    "LilyGO T-Watch S3, its own cell",
    470,
    {
        "awake": Draw(31.7, "measured on a DevKitM-1, idle: lucidar.me", sure=True),
        "asleep": Draw(
            0.3, "chip 7 uA (data sheet), measured 8 uA: lucidar.me; PMIC, RTC, touch by estimate", sure=False
        ),
        "start": Draw(40.0, "ESP32-S3 data sheet, both cores at 240 MHz, and PSRAM", sure=False),
        "advertising_100_ms": _BLE,
        "advertising_30_ms": _BLE_FAST,
        "connected": _CONNECTED,
        "motor": _MOTOR,
        "backlight": Draw(25.0, "ST7789 module's LEDs at half and its driver", sure=False),
        "accelerometer": Draw(0.025, "BMA423 data sheet: low power, 50 Hz, four averaged", sure=False),
        "gnss": Draw(25.0, "u-blox MAX-M10S data sheet: acquisition, four systems, 3 V", sure=False),
    },
)
