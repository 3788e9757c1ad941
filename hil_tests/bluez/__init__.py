"""bluetoothd and its bus, so that the gateway runs on bleak's real BlueZ back end where there is no Bluetooth.

Owns a private dbus-daemon and what answers on it as org.bluez and as systemd. Unmodified bleak finds it through
DBUS_SYSTEM_BUS_ADDRESS. Begin with bluetoothd.py.
"""
