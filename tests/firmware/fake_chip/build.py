"""What tools/image.py makes for a real image."""

RELEASE = False
BOARD = "fake"
FINGERPRINT = "0" * 16
