"""A computer without an adapter is told from a wearable that nobody hears."""

from __future__ import annotations

import pytest

from tools.factory import ear


def test_without_a_bluetooth_service_there_is_no_ear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/no-system-bus")
    with pytest.raises(ear.NoEar):
        ear.hear("60:55:F9:00:00:01", 1.0)
