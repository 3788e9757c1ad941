"""The screen of `pingan status`: 80 columns in both languages, what is worst first, cut to the terminal's height."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from tests.edge_daemon.control.schemas import check
from tools.label import code
from tools.messages import LANGUAGES, Messages
from tools.status.drawing import Drawing
from tools.status.news import News
from tools.status.spans import signal, size, span

from .samples import HANDLES, status, wearable

AT = datetime(2026, 11, 27, 21, 10, 5, tzinfo=UTC)


def shown(
    lang: str, reply: dict[str, Any], news: News | None = None, height: int = 60, silent_s: float | None = None
) -> list[str]:
    console = Console(width=80, height=height, force_terminal=False, highlight=False)
    with console.capture() as captured:
        console.print(Drawing(Messages(lang), console).screen(reply, news, silent_s))
    return captured.get().splitlines()


def some_news(lang: str) -> News:
    news = News(Messages(lang))
    for line in (
        {"saw": "begun"},
        {"saw": "heard", "wearable": HANDLES[2], "link": "ble", "frame": "event", "kind": "sos"},
        {"saw": "stored", "wearable": HANDLES[2], "kind": "sos", "ms": 4},
        {"saw": "stage", "wearable": HANDLES[2], "kind": "sos", "stage": "no_path"},
        *[{"saw": "heard", "wearable": HANDLES[2], "link": "serial", "frame": "hello"}] * 5,
        {"saw": "fault", "kind": "mains_lost"},
        {"saw": "unstored", "wearable": None, "kind": "of_a_later_version", "ms": 4000},
        {"saw": "lost", "count": 3},
        {"saw": "of_a_later_version"},
    ):
        news.saw(line, AT)
    return news


def test_the_sample_is_what_a_gateway_says() -> None:
    check("status", status())


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("height", [60, 40, 30, 24])
def test_it_fits_eighty_columns_and_the_terminal(lang: str, height: int) -> None:
    many = status(*(wearable(n) for n in range(9, 30)))
    lines = shown(lang, many, some_news(lang), height)
    assert max(cell_len(line) for line in lines) <= 80
    # A dozen ways, parts and faults is more than 24 lines take; rich cuts the rest.
    assert len(lines) < max(height, 27)
    assert all(part in "\n".join(lines) for part in ("gw-chengdu-0071", "nut:ups", code.of_handle(HANDLES[2])))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_printed_once_it_shows_everybody(lang: str) -> None:
    lines = shown(lang, status(*(wearable(n) for n in range(9, 30))), height=24)
    assert sum(line.count("PAT-") for line in lines) == 30 + 2
    assert max(cell_len(line) for line in lines) <= 80


def test_what_is_left_out_is_counted() -> None:
    lines = shown("en", status(*(wearable(n) for n in range(9, 30))), some_news("en"), height=34)
    listed = [line for line in lines[3:] if line.strip().startswith("PAT-") and "not heard for 25 h" not in line]
    (more,) = [line for line in lines if "more:" in line]
    assert int(re.findall(r"\d+", more)[0]) + len(listed) == 30
    assert len(lines) == 33


def test_alarms_come_first_then_who_is_missed_and_revoked_last() -> None:
    lines = [line for line in shown("en", status()) if line.strip().startswith("PAT-") and line[1:4] == "PAT"]
    order = [line.split()[0] for line in lines]
    assert order[:3] == [code.of_handle(HANDLES[place]) for place in (2, 4, 5)]
    assert order[-2:] == [code.of_handle(HANDLES[place]) for place in (7, 6)]


@pytest.mark.parametrize(("lang", "notes"), [("en", ("roaming", "worker's badge")), ("zh", ("漫游", "工作人员胸牌"))])
def test_who_is_no_wearer_of_this_home_is_told_apart(lang: str, notes: tuple[str, str]) -> None:
    reply = status(wearable(9, role="worker"))
    check("status", reply)
    lines = shown(lang, reply)
    for place, note in zip((7, 9), notes, strict=True):
        (line,) = [line for line in lines if code.of_handle(HANDLES[place]) in line]
        assert note in line


@pytest.mark.parametrize(
    ("lang", "parts"),
    [
        (
            "en",
            ("MISSING", "test failed: not accepted", "EXPIRED", "11 d", "ON BATTERY", "12.4 GB", "2 waiting", "9 min"),
        ),
        ("zh", ("失联", "测试失败", "已过期", "11 天", "电池供电", "12.4 GB", "2 个待送达", "9 分钟")),
    ],
)
def test_each_thing_that_is_wrong_is_said(lang: str, parts: tuple[str, ...]) -> None:
    text = "\n".join(shown(lang, status()))
    for part in parts:
        assert part in text


def test_a_disk_that_fails_and_a_gateway_that_is_silent_are_said_loudly() -> None:
    reply = status()
    reply["journal"] |= {"trouble": "full", "short": True, "room_bytes": None}
    text = "\n".join(shown("en", reply, silent_s=75))
    assert "CANNOT BE WRITTEN: full" in text
    assert "has not answered for 75 s" in text
    assert "running for" not in text
    reply["journal"]["trouble"] = None
    assert "the reserve is in use" in "\n".join(shown("en", reply))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_empty_gateway_says_so(lang: str) -> None:
    reply = {**status(), "wearables": [], "faults": [], "links": [], "power": [], "certificates": []}
    text = "\n".join(shown(lang, reply, News(Messages(lang))))
    assert "pingan enrol" in text
    assert text.count("–") >= 3


def test_news_are_the_newest_and_one_that_repeats_is_one_line() -> None:
    lines = [text for _, text in some_news("en").lines]
    who = code.of_handle(HANDLES[2])
    assert lines == [
        f"{who}  SOS, heard by radio",
        f"{who}  SOS: stored after 4 ms",
        f"{who}  SOS: no way out",
        f"{who}  heard by wire",
        "the gateway  of_a_later_version: NOT STORED (4000 ms), sent from memory",
        "3 lines could not be shown in time",
    ]
    assert {at for at, _ in some_news("en").lines} == {"21:10:05"}


def test_two_brokers_certificates_are_told_apart() -> None:
    reply = status()
    reply["certificates"].append({"about": "backup own", "ends_at": "2027-01-01T00:00:00.000Z"})
    text = "\n".join(shown("en", reply))
    assert "primary ours 11 d" in text
    assert "backup ours 34 d" in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (172_799, "47 h"),
        (172_800, "2 d"),
    ],
)
def test_spans(seconds: float | None, text: str) -> None:
    assert span(seconds, Messages("en")) == text


def test_signals_and_sizes() -> None:
    assert [signal(dbm) for dbm in (None, -40, -65, -75, -85, -99)] == [
        "",
        "▂▄▆█ -40",
        "▂▄▆  -65",
        "▂▄   -75",
        "▂    -85",
        "·    -99",
    ]
    assert [size(count) for count in (None, 5_000_000, 3_200_000_000)] == ["–", "5 MB", "3.2 GB"]
