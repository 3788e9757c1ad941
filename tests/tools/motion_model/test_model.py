"""The model makes what it says, the judge is the wearable's own code, and a share's interval is Wilson's."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from tools.motion_model import __main__ as command
from tools.motion_model import daily, falls, recordings
from tools.motion_model.judge import Share, judge
from tools.motion_model.sensor import RANGE_MG, sensed
from tools.motion_model.trace import HZ, Trace
from tools.motion_model.wearer import PENDANT, PLACES, WRIST, Wearer

EVERY = {**falls.KINDS, "recovered": falls.recovered, **{name: kind.make for name, kind in daily.KINDS.items()}}


def made(name: str, place: str, i: int) -> list[tuple[int, int, int]]:
    rng = random.Random(f"7 {place} {name} {i}")
    return sensed(EVERY[name](Wearer(rng, place)), rng)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", EVERY)
def test_each_kind_is_whole_within_the_chips_range_and_the_same_by_the_same_seed(name: str, place: str) -> None:
    samples = made(name, place, 1)
    assert samples == made(name, place, 1)
    assert samples != made(name, place, 2)
    assert 10 * HZ < len(samples) < 130 * HZ
    assert all(-RANGE_MG <= axis < RANGE_MG for sample in samples for axis in sample)
    before = [math.hypot(*sample) for sample in samples[: 2 * HZ]]
    assert 880 < sum(before) / len(before) < 1120, "it begins at rest, and gravity is one g"


@pytest.mark.parametrize(("place", "least"), [(WRIST, 0.6), (PENDANT, 0.7)])
def test_most_falls_are_found_and_hardly_any_walk_is_one(place: str, least: float) -> None:
    found, walks = Share(), Share()
    for i in range(8):
        for name in ("forward", "backward", "sideways"):
            found.add(judge(made(name, place, i), level="normal", wrist=place == WRIST).sent > 0)
        walks.add(judge(made("walking", place, i), level="normal", wrist=place == WRIST).falls > 0)
    assert found.value >= least, str(found)
    assert walks.value <= 0.1, str(walks)


def test_whoever_gets_up_in_the_countdown_sends_nothing() -> None:
    verdicts = [judge(made("recovered", PENDANT, i), level="normal", wrist=False) for i in range(8)]
    assert sum(verdict.falls > 0 for verdict in verdicts) >= 3
    assert sum(verdict.sent > 0 for verdict in verdicts) <= 1


def test_a_countdown_that_outlasts_the_samples_is_an_alarm() -> None:
    trace = Trace(random.Random(1), (0, 0, 1))
    trace.rest(5, 0.01)
    trace.drop((1, 0, 0), 0.4, 0.3)
    trace.blow(5, 120)
    trace.rest(10, 0.01)
    verdict = judge(sensed(trace.samples, random.Random(2)), level="normal", wrist=False)
    assert (verdict.falls, verdict.sent) == (1, 1)


def test_steps_of_the_model_are_counted_to_a_tenth() -> None:
    for place in PLACES:
        for i in range(5):
            rng = random.Random(f"steps {i}")
            wearer = Wearer(rng, place, frail=False)
            trace = Trace(rng, wearer.standing())
            wearer.walks(trace, 60)
            steps = judge(sensed(trace.samples, rng), level="normal", wrist=place == WRIST).steps
            assert abs(steps - 60 * wearer.hertz) < 0.1 * 60 * wearer.hertz, (place, i, steps, wearer.hertz)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962), (1, 100, 0.0018, 0.0545)],
)
def test_the_interval_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    """Worked out from its formula (no continuity correction), to four places."""
    found = Share(hits, of).between()
    assert found == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
    assert Share().between() == (0.0, 1.0)


def test_the_command_says_its_seed_and_each_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--n", "1", "--seed", "3"]) == 0
    said = capsys.readouterr().out
    assert "1 traces of each kind and place, seed 3" in said
    for name in EVERY:
        assert said.count(f"  {name} ") == len(PLACES), name


def written(folder: Path, name: str, rows: list[tuple[float, float, float, float]]) -> None:
    file = folder / "dataset" / "50Hz" / f"{name}_accel.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = ["accel_time_list,accel_x_list,accel_y_list,accel_z_list", *(",".join(map(str, row)) for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_recordings_are_read_in_mg_and_falls_end_where_they_are_marked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, "F01/U01_R01", [(i / HZ, 0.0, 9.80665, 200.0 * (i == 2)) for i in range(5 * HZ)])
    written(tmp_path, "F01/U01_R01_vertical", [(0.0, 0.0, 0.0, 0.0)])
    written(tmp_path, "D01/U22_R03", [(0.0, 1.0, -9.80665, 0.0)])
    marks = tmp_path / "dataset" / "fall_timestamps.csv"
    marks.write_text("\ufefffilename,start_time,end_time\nF01/U01_R01,0.5,1.0\n", encoding="utf-8")
    fall, walk = recordings.read(tmp_path)
    assert (fall.user, len(fall.samples), len(fall.fall or [])) == (1, 250, 51)
    assert fall.samples[2] == (0, 1000, 7999), "clipped as the chip does"
    assert (walk.code, walk.user, walk.samples, walk.fall) == ("D01", 22, [(101, -1000, 0)], None)
    assert len(recordings.lain(recordings.led_in(walk.samples))) == 1 + 23 * HZ
    assert command.main(["--recordings", str(tmp_path)]) == 0
    assert "2 recordings" in capsys.readouterr().out


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(recordings.read(tmp_path))
