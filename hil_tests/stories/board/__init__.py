"""What runs on the wearable's MicroPython in a story: the board by the virtual clock, its radio, its meter."""
