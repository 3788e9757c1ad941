"""The facts of the chips the bench can be: numbers from Espressif's reference manuals, as esptool asks for them."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Chip:
    """`efuse_block1`: address of the MAC. `package`: word 3 of that block. `boots`: what the ROM says first."""

    name: str
    chip_id: int
    efuse_block1: int
    package: int
    banner: str
    strap_download: int
    strap_run: int
    spi: int = 0x60002000


# Revision v0.4 (bits 18 to 20) with the flash in the package (bits 27 to 29: 4 MiB).
ESP32_C3 = Chip(
    "esp32c3", 5, 0x60008844, (4 << 18) | (1 << 27), "ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\n", 0x7, 0xF
)
# Revision v0.2, flash outside.
ESP32_S3 = Chip("esp32s3", 9, 0x60007044, 2 << 18, "ESP-ROM:esp32s3-20210327\r\nBuild:Mar 27 2021\r\n", 0x3, 0x2B)

CHIPS = {chip.name: chip for chip in (ESP32_C3, ESP32_S3)}
