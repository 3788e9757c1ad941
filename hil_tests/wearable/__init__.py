"""The wearable's room: the real firmware in a real interpreter, with a body to press and look at.

Start reading at process.py. Owns what surrounds the firmware: flash, RTC memory, button, battery, lamp, motor, cable,
power and watchdog. Must not know the radio (hil_tests/radio) nor what a frame says.
"""
