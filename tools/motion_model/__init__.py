"""A stated model of falls and of daily life as an accelerometer feels them, and how the firmware's detector does on it.

README.md says what is assumed, what is measured, and what neither can show.
"""
