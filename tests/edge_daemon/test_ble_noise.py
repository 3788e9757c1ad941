"""Floods, by virtual time."""

from __future__ import annotations

from edge_daemon.links.ble_noise import Noise, NoiseLimits


class Air:
    def __init__(self) -> None:
        self.told: list[bool] = []
        self.noise = Noise(NoiseLimits(), 0)
        self.noise.on_jammed = lambda active, note: self.told.append(active)
        self.now_ms = 0

    def passes(self, for_s: int, *, adverts_per_s: int = 0, frames_per_s: int = 0) -> None:
        for _ in range(for_s):
            for _ in range(adverts_per_s):
                self.noise.advert()
            for _ in range(frames_per_s):
                self.noise.frame()
            self.now_ms += 1000
            self.noise.tick(self.now_ms)


def test_a_flood_of_frames_is_told_after_ten_seconds_and_its_end_after_a_minute() -> None:
    air = Air()
    air.passes(9, frames_per_s=101, adverts_per_s=101)
    assert air.told == []
    air.passes(1, frames_per_s=101, adverts_per_s=101)
    assert air.told == [True]
    assert air.noise.jammed
    air.passes(59)
    assert air.told == [True]
    air.passes(1)
    assert air.told == [True, False]
    assert not air.noise.jammed


def test_noise_of_others_is_a_flood_beyond_a_thousand_a_second() -> None:
    air = Air()
    air.passes(30, adverts_per_s=900)
    assert air.told == []
    air.passes(10, adverts_per_s=1001)
    assert air.told == [True]


def test_bursts_are_no_flood_and_pauses_no_end() -> None:
    air = Air()
    for _ in range(20):
        air.passes(9, frames_per_s=500)
        air.passes(1)
    assert air.told == []
    air.passes(10, frames_per_s=500)
    for _ in range(5):
        air.passes(50)
        air.passes(1, frames_per_s=500)
    assert air.told == [True]


def test_a_drill_of_a_hundred_wearables_is_no_flood() -> None:
    """Each asks with a new frame after 1, 2, 4, 8, 16, 30, 30 s."""
    air = Air()
    times = [0, 1, 3, 7, 15, 31, 61, 91]
    for second in range(120):
        air.passes(1, frames_per_s=100 * times.count(second), adverts_per_s=900)
    assert air.told == [False]


def test_that_there_is_no_flood_is_told_once_after_a_start() -> None:
    air = Air()
    air.passes(600, frames_per_s=5)
    assert air.told == [False]
