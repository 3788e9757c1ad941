"""An ESP32 board on the bench: what a computer sees of it at the end of a USB cable, down to every byte and line."""
