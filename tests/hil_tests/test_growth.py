from __future__ import annotations

import random

from hil_tests.soak.growth import Growth


def _life(growth: Growth, life: int, level: float, per_s: float, chance: random.Random, lasts_s: int = 200) -> None:
    for at_s in range(lasts_s):
        growth.add(life, float(at_s), level + per_s * at_s + chance.gauss(0, 50))


def test_noise_and_lives_of_other_levels_are_no_growth() -> None:
    chance, growth = random.Random(1), Growth(20)
    for life in range(5):
        _life(growth, life, 1000.0 * life, 0.0, chance)
    assert growth.surely() < 30
    assert growth.most > 4000


def test_a_leak_in_each_life_is_found_though_each_begins_anew() -> None:
    chance, growth = random.Random(2), Growth(20)
    for life in range(5):
        _life(growth, life, 1000.0, 2.0, chance)
    slope, error = growth.slope()
    assert abs(slope - 2.0) < 4 * error
    assert growth.watched_s == 5 * 179
    assert 0.8 * 2.0 * growth.watched_s < growth.surely() < 1.2 * 2.0 * growth.watched_s


def test_what_comes_in_the_warm_up_does_not_count() -> None:
    growth = Growth(50)
    for at_s in range(100):
        growth.add(1, float(at_s), 100.0 * min(at_s, 50))
    assert growth.surely() == 0.0


def test_too_few_readings_say_nothing() -> None:
    growth = Growth(0)
    assert growth.surely() == 0.0
    growth.add(1, 0.0, 1.0)
    growth.add(1, 1.0, 100.0)
    assert growth.surely() == 0.0
