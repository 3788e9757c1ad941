"""Profiles and wearers' files: what they come to, and that whatever is wrong is named by its place."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge_daemon.care import plan as care_plan
from edge_daemon.errors import Refusal
from protocol import codes, settings
from tools.care import content, profile, wearer
from tools.care.table import Table
from tools.messages import LANGUAGES, Messages

from .place import CHILD, LI, OLDER, Place

_KINDS = ("older", "disabled", "child", "worker")


def _refused(file: Path, directory: Path | None = None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        wearer.read(file, directory)
    for lang in LANGUAGES:
        assert "\n" not in Messages(lang).refusal(caught.value)
    return caught.value


def test_what_a_file_and_its_profile_come_to_at_the_gateway(place: Place) -> None:
    plan = care_plan.read(content.plan(wearer.read(place.wearer())))
    assert (plan.beneficiary, plan.centre, plan.timezone) == ("older", "jinjiang-3", "Asia/Shanghai")
    assert plan.away == (datetime(2026, 12, 1), datetime(2026, 12, 8, 12))  # noqa: DTZ001 # local, as it is meant
    assert plan.inactivity is not None
    assert plan.inactivity.after_min == 720
    assert [f"{at:%H:%M}" for at in plan.inactivity.quiet or ()] == ["21:30", "06:30"]
    assert [(one.id, one.kind, f"{one.at:%H:%M}", one.days, one.answer_within_s, one.again, one.text)
            for one in plan.checkins] == [
        ("morning", "checkin", "08:00", (1, 2, 3, 4, 5, 6, 7), 1200, 2, 0),
        ("pill-1", "medicine", "19:30", (1, 3, 5), 1200, 2, 2),
    ]  # fmt: skip
    assert plan.presence == care_plan.PresenceRule(35, True)
    assert plan.retention_days == 30


def test_what_they_come_to_on_the_wearable(place: Place) -> None:
    made = settings.unpack(content.of_wearable(wearer.read(place.wearer(text=CHILD))).pack())
    assert (made.kind, made.language, made.short_press) == (settings.CHILD, settings.ENGLISH, codes.SERVICE_CALL_ME)
    assert (made.moving_s, made.still_s, made.floor_percent) == (300, 1800, 20)
    assert (made.falls, made.heartbeat_s, made.offset_minutes) == (settings.FALLS_OFF, 600, 480)
    home, school = made.fences
    assert (home.number, home.flags, home.radius_m) == (1, settings.FENCE_HOME, 150)
    tells = settings.FENCE_TELLS_LEFT | settings.FENCE_TELLS_ENTERED
    assert (school.number, school.flags, school.radius_m) == (7, settings.FENCE_SCHOOL | tells, 65)
    assert (school.latitude_e6, school.longitude_e6) == (30_657_500, 104_065_800)


def test_southern_and_western_places_and_summer_time(place: Place, tmp_path: Path) -> None:
    (tmp_path / "far.toml").write_text('base = "older"\ntimezone = "America/New_York"\n')
    text = OLDER.replace("30.657401", "-33.5").replace("104.065735", "-70.25").replace('"older"', '"far"')
    one = wearer.read(place.wearer(text=text), tmp_path)
    assert (one.fences[0].latitude_e6, one.fences[0].longitude_e6) == (-33_500_000, -70_250_000)
    for month, minutes in ((1, -300), (7, -240)):
        assert content.of_wearable(one, datetime(2026, month, 1, tzinfo=UTC)).offset_minutes == minutes


@pytest.mark.parametrize("name", _KINDS)
def test_each_of_ours_is_whole_and_its_hold_is_an_sos(name: str) -> None:
    found = profile.load(name)
    assert found.beneficiary == name
    assert 'hold = "sos"' in (profile.OURS / f"{name}.toml").read_text()
    # One heartbeat may be lost before anybody is said to have left.
    assert found.away_after_min * 60 >= 2 * found.heartbeat_s + 300
    assert found.centre == ""


def test_a_childs_data_are_kept_shortest_and_a_worker_is_not_followed() -> None:
    days = {name: profile.load(name).retention_days for name in _KINDS}
    assert all(days["child"] < kept for name, kept in days.items() if name != "child")
    worker = profile.load("worker")
    assert (worker.moving_s, worker.checkins, worker.inactivity_min, worker.falls) == (0, None, 0, "off")


def test_a_countys_profile_says_only_what_is_different(place: Place, tmp_path: Path) -> None:
    (tmp_path / "jinjiang-child.toml").write_text(
        'base = "child"\ncentre = "jinjiang-3"\nretention_days = 3\n'
        "[positions]\nmoving_s = 60\n[presence]\non = false\n"
    )
    ours, theirs = profile.load("child"), profile.load("jinjiang-child", tmp_path)
    assert (theirs.centre, theirs.retention_days, theirs.moving_s, theirs.away_after_min) == ("jinjiang-3", 3, 60, 0)
    assert (theirs.still_s, theirs.short_press, theirs.heartbeat_s) == (ours.still_s, "call_me", ours.heartbeat_s)
    text = CHILD.replace('"child"', '"jinjiang-child"').replace('centre = "jinjiang-3"\n', "")
    one = wearer.read(place.wearer(text=text), tmp_path)
    assert one.centre == "jinjiang-3"
    assert care_plan.read(content.plan(one)).presence is None
    other = place.wearer(text='centre = "wuhou-1"\n' + text)
    assert _refused(other, tmp_path).key == "care.other_centre"
    assert profile.names(None) == ["child", "disabled", "older", "worker"]
    assert "jinjiang-child" in profile.names(tmp_path)


@pytest.mark.parametrize(
    ("over", "key", "where"),
    [
        ({"buttons": {"hold": "call_me"}}, "hold_is_sos", "buttons.hold"),
        ({"buttons": {"short_press": "nothing"}}, "bad_word", "buttons.short_press"),
        ({"buttons": {"longpress": "sos"}}, "unknown_key", "buttons.longpress"),
        ({"retention_days": 8}, "bad_number", "retention_days"),
        ({"retention_days": True}, "bad_number", "retention_days"),
        ({"presence": {"away_after_min": 14}}, "presence_short", "presence.away_after_min"),
        ({"heartbeat_s": 1800}, "presence_short", "presence.away_after_min"),
        ({"heartbeat_s": 59}, "bad_number", "heartbeat_s"),
        ({"heartbeat_s": 1801}, "bad_number", "heartbeat_s"),
        ({"language": "fr"}, "bad_word", "language"),
        ({"falls": "off"}, "no_table", "falls"),
        ({"falls": {"countdown_s": 5}}, "bad_number", "falls.countdown_s"),
        ({"positions": {"still_s": 100}}, "still_faster", "positions.still_s"),
        ({"positions": {"moving_s": 70_000}}, "bad_number", "positions.moving_s"),
        ({"inactivity": {"after_min": 720, "quiet": ["22:00"]}}, "bad_times", "inactivity.quiet"),
        ({"inactivity": {"after_min": 30}}, "bad_number", "inactivity.after_min"),
        ({"presence": {"on": "no"}}, "bad_word", "presence.on"),
        ({"guardian": "g-1"}, "unknown_key", "guardian"),
        ({"beneficiary": "worker", "retention_days": 7}, "no_checkins", "checkins.on"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_profile_is_named(over: dict[str, Any], key: str, where: str) -> None:
    base = Table.read(profile.OURS / "child.toml").rest()
    with pytest.raises(Refusal) as caught:
        profile._profile("x", Table(Path("x.toml"), profile._merged(base, over)))
    assert (caught.value.key, caught.value.params["where"]) == (f"care.{key}", where)


@pytest.mark.parametrize(
    ("old", "new", "key", "where"),
    [
        ('"older"', '"elder"', "no_profile", None),
        ('"older"', '"../older"', "bad_text", "profile"),
        ('"older"', '"worker"', "not_watched", "quiet"),
        ('centre = "jinjiang-3"\n', "", "missing", "centre"),
        ('"jinjiang-3"', '"Jinjiang 3"', "bad_text", "centre"),
        ('"jinjiang-3"', '"jinjiang-3\\n"', "bad_text", "centre"),
        ('quiet = ["21:30", "06:30"]', 'quiet = ["21:30", "21:30"]', "bad_times", "quiet"),
        ('quiet = ["21:30", "06:30"]', 'quiet = ["24:00", "06:30"]', "bad_time", "quiet"),
        ('quiet = ["21:30", "06:30"]', "quite = 1", "unknown_key", "quite"),
        ('"2026-12-08T12:00"', '"2026-12-01T00:00"', "until_first", "away.until"),
        ('"2026-12-08T12:00"', '"2026-02-30T00:00"', "no_such_date", "away.until"),
        ('"2026-12-08T12:00"', '"next week"', "bad_text", "away.until"),
        ('"08:00"', '"8:00"', "bad_time", "checkin[1].at"),
        ('"08:00"', "800", "bad_time", "checkin[1].at"),
        ('id = "pill-1"', 'id = "morning"', "twice", "medicine[1].id"),
        ("days = [1, 3, 5]", "days = []", "bad_days", "medicine[1].days"),
        ("days = [1, 3, 5]", "days = [1, 8]", "bad_days", "medicine[1].days"),
        ("days = [1, 3, 5]", "days = [1, 1]", "bad_days", "medicine[1].days"),
        ("days = [1, 3, 5]", "days = [true]", "bad_days", "medicine[1].days"),
        ("text = 2", "text = 256", "bad_number", "medicine[1].text"),
        ("text = 2", 'say = "take it"', "unknown_key", "medicine[1].say"),
        ("radius_m = 200", "radius_m = 49", "bad_number", "fence[1].radius_m"),
        ("radius_m = 200", "radius_m = 50001", "bad_number", "fence[1].radius_m"),
        ("radius_m = 200", "radius_m = 100.5", "bad_number", "fence[1].radius_m"),
        ("radius_m = 200\n", "", "missing", "fence[1].radius_m"),
        ("30.657401", "104.065735", "bad_number", "fence[1].latitude"),
        ("30.657401", "nan", "bad_number", "fence[1].latitude"),
        ("104.065735", "180.1", "bad_number", "fence[1].longitude"),
        ("number = 1", "number = 0", "bad_number", "fence[1].number"),
        ("number = 1", "number = 16", "bad_number", "fence[1].number"),
        ('place = "home"', 'place = "work"', "bad_word", "fence[1].place"),
        ('tells = ["left"]', 'tells = ["left", "left"]', "bad_words", "fence[1].tells"),
        ('tells = ["left"]', 'tells = [["left"]]', "bad_words", "fence[1].tells"),
        ('datum = "wgs84"', 'datum = "gcj02"', "datum", "datum"),
        ('datum = "wgs84"', "", "missing", "datum"),
        ("[[fence]]", "[fence]", "bad_list", "fence"),
        ("[[checkin]]", "[[checkin]]\nx = 1\n[[checkin]]", "missing", "checkin[1].id"),
        ("[away]", "away = 3\n[[x]]", "no_table", "away"),
        ("[away]", "[away", "no_toml", None),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_wearers_file_is_named(
    place: Place, old: str, new: str, key: str, where: str | None
) -> None:
    assert old in OLDER
    refusal = _refused(place.wearer(text=OLDER.replace(old, new, 1)))
    assert (refusal.key, refusal.params.get("where")) == (f"care.{key}", where)


def test_fences_may_overlap_but_not_share_a_number_and_there_is_one_home(place: Place) -> None:
    assert len(wearer.read(place.wearer(text=CHILD)).fences) == 2
    assert _refused(place.wearer(text=CHILD.replace("number = 7", "number = 1"))).params["where"] == "fence[2].number"
    assert _refused(place.wearer(text=CHILD.replace('"school"', '"home"'))).key == "care.two_homes"
    fence = "\n[[fence]]\nnumber = {}\nlatitude = 1\nlongitude = 1\nradius_m = 50\n"
    whole = "".join(fence.format(number) for number in range(1, 16))
    head = CHILD[: CHILD.index("[[fence]]")]
    assert len(wearer.read(place.wearer(text=head + whole)).fences) == 15
    assert _refused(place.wearer(text=head + whole + fence.format(15))).key == "care.bad_list"


@pytest.mark.parametrize("name", ["张伟", "Zhang Wei", "ZhangWei", "0", "g 17", "x" * 33 + "1"])
def test_a_guardian_is_a_reference_and_what_may_be_a_name_is_not_said_again(place: Place, name: str) -> None:
    refusal = _refused(place.wearer(text=CHILD.replace("g-00017", name)))
    assert refusal.key == "care.no_reference"
    if len(name) > 1:
        assert name not in str(refusal)
        assert name not in Messages("zh").refusal(refusal)


def test_a_child_needs_a_guardian_and_nobody_else_does(place: Place) -> None:
    assert _refused(place.wearer(text=CHILD.replace('guardian = "g-00017"\n', ""))).key == "care.needs_guardian"
    assert wearer.read(place.wearer()).guardian == ""
    # It is the platform's to know: neither box has it.
    one = wearer.read(place.wearer(text=CHILD))
    assert b"g-00017" not in content.plan(one) + content.of_wearable(one).pack()


def test_a_worker_has_a_badge_and_nothing_that_follows_them(place: Place) -> None:
    one = wearer.read(place.wearer(text='profile = "worker"\ncentre = "jinjiang-3"\n'))
    plan = care_plan.read(content.plan(one))
    assert (plan.beneficiary, plan.checkins, plan.inactivity) == ("worker", (), None)
    checkin = '[[checkin]]\nid = "a"\nat = "08:00"\n'
    assert _refused(place.wearer(text=f'profile = "worker"\ncentre = "a"\n{checkin}')).key == "care.not_watched"
    fence = 'datum = "wgs84"\n[[fence]]\nnumber = 1\nlatitude = 1\nlongitude = 1\nradius_m = 50\n'
    assert _refused(place.wearer(text=f'profile = "worker"\ncentre = "a"\n{fence}')).key == "care.not_watched"


def test_codes_handles_and_files_that_are_none(place: Place, tmp_path: Path) -> None:
    good = place.wearer()
    handle = LI.handle.hex()
    named = tmp_path / "handle.toml"
    named.write_text(good.read_text().replace(good.read_text().splitlines()[0], f'wearable = "{handle}"'))
    assert wearer.read(named).handle == handle == wearer.read(good).handle
    line = good.read_text().splitlines()[0]
    flipped = line[:-2] + ("0" if line[-2] != "0" else "1") + '"'
    named.write_text(good.read_text().replace(line, flipped))
    assert _refused(named).key == "care.bad_code"
    assert _refused(tmp_path / "none.toml").key == "care.unreadable"
    named.write_bytes(b"\xff\xfe")
    assert _refused(named).key == "care.no_toml"
    named.write_text("#" * 70_000)
    assert _refused(named).key == "care.too_long"


def test_as_many_check_ins_as_a_plan_takes_and_no_more(place: Place) -> None:
    rows = [f'[[{kind}]]\nid = "{kind}-{n}"\nat = "08:00"\n' for kind in ("checkin", "medicine") for n in range(17)]
    head = 'profile = "older"\ncentre = "a"\n'
    one = wearer.read(place.wearer(text=head + "".join(rows[:32])))
    assert len(care_plan.read(content.plan(one)).checkins) == 32
    assert _refused(place.wearer(text=head + "".join(rows))).key == "care.bad_list"


def test_a_time_zone_that_is_none_is_refused_by_the_plan(place: Place, tmp_path: Path) -> None:
    (tmp_path / "far.toml").write_text('base = "older"\ntimezone = "Asia/Nowhere"\n')
    one = wearer.read(place.wearer(text=OLDER.replace('"older"', '"far"')), tmp_path)
    with pytest.raises(Refusal) as caught:
        content.plan(one)
    assert caught.value.key == "care.plan_refused"


def test_the_examples_of_the_page_are_good(tmp_path: Path) -> None:
    page = (profile.OURS.parent / "README.md").read_text(encoding="utf-8")
    theirs, county = (block.split("```")[0] for block in page.split("```toml\n")[1:])
    (tmp_path / "theirs.toml").write_text(theirs, encoding="utf-8")
    (tmp_path / "county.toml").write_text(county, encoding="utf-8")
    one = wearer.read(tmp_path / "theirs.toml")
    assert (one.profile.name, len(one.checkins), len(one.fences)) == ("disabled", 1, 1)
    content.plan(one)
    assert profile.load("county", tmp_path).moving_s == 120
