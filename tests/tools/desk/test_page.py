"""The operator's page in a real Chromium: what an operator sees and does, and what a hostile peer cannot make of it."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from hil_tests.broker.mosquitto import Broker
from protocol import kinds
from tests.tools.desk.browser import CHROMIUM, WITHIN_MS, chromium, page_on
from tests.tools.desk.desk_house import Opened
from tests.tools.desk.gateway import WEARABLE, Gateway, event
from tools.desk.store.actions import OUTCOMES
from tools.messages import LANGUAGES, catalogue

_HOSTILE = '<img src=x onerror="document.title=1"><b>x</b>'

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture
async def page(desk: Opened) -> AsyncIterator[Page]:
    """A fresh profile on the desk's page, in English, with no operator yet."""
    async with chromium() as browser, page_on(browser, desk.desk.url) as page:
        yield page


def _card(page: Page, number: int = 12) -> Any:
    return page.locator(f'article[data-event="{WEARABLE}-{number:06x}"]')


async def _be(page: Page, name: str) -> None:
    await page.click("#operator")
    await page.fill("#who-name", name)
    await page.keyboard.press("Enter")
    await expect(page.locator("#operator")).to_have_text(name)


async def test_an_incident_appears_is_taken_and_closed_without_a_reload(
    page: Page, desk: Opened, broker: Broker
) -> None:
    await page.evaluate("window.stillTheSamePage = true")
    await _be(page, "王芳")
    async with Gateway(broker, "gw-1") as gateway, Gateway(broker, "gw-2") as second:
        await gateway.ask(event(detail="hold"))
        card = _card(page)
        await expect(card.locator("h3")).to_have_text("SOSheld down", timeout=WITHIN_MS)
        await expect(page.locator("#count-emergency")).to_have_text("1")
        assert await page.title() == "(1) PingAnTong desk"
        await second.ask(event(rssi_dbm=-85))
        await expect(card.locator(".reports li")).to_have_count(2, timeout=WITHIN_MS)
        await expect(card.locator(".timeline .reached")).to_have_count(3)
        await card.get_by_role("button", name="Take").click()
        await expect(card.locator(".by.mine")).to_be_visible(timeout=WITHIN_MS)
        assert await gateway.next_answer() == ([(f"{WEARABLE}-00000c", "answered")], None)
        await card.get_by_role("button", name="Close").click()
        await page.get_by_role("button", name="Helped").click()
        await expect(card).to_have_count(0, timeout=WITHIN_MS)
        await expect(page.locator("#lane-closed")).to_contain_text("Helped · 王芳")
        assert await gateway.next_answer() == ([(f"{WEARABLE}-00000c", "closed")], None)
    assert await page.evaluate("window.stillTheSamePage")
    assert (await desk.incidents())[f"{WEARABLE}-00000c"]["outcome"] == "helped"


async def test_keys_take_the_first_and_close_it(page: Page, desk: Opened, broker: Broker) -> None:
    await _be(page, "A")
    async with Gateway(broker) as gateway:
        await gateway.ask(event(1, kind="wearable_battery_low", class_="fault"))
        await gateway.ask(event(2))
        await expect(_card(page, 2)).to_be_visible(timeout=WITHIN_MS)
        await page.locator("body").press("Enter")
        await expect(_card(page, 2).locator(".by.mine")).to_be_visible(timeout=WITHIN_MS)
        await page.locator("body").press("c")
        await page.keyboard.press("4")
        await expect(_card(page, 2)).to_have_count(0, timeout=WITHIN_MS)
    found = await desk.incidents()
    assert found[f"{WEARABLE}-000002"]["outcome"] == "false_alarm"
    assert found[f"{WEARABLE}-000001"]["stage"] == "accepted"


async def test_the_name_is_asked_for_once_and_nothing_is_taken_without(
    page: Page, desk: Opened, broker: Broker
) -> None:
    async with Gateway(broker) as gateway:
        await gateway.ask(event())
        take = _card(page).get_by_role("button", name="Take")
        await take.click()
        await page.keyboard.press("Escape")
        assert (await desk.incidents())[f"{WEARABLE}-00000c"]["stage"] == "accepted"
        await take.click()
        await page.fill("#who-name", "李")
        await page.keyboard.press("Enter")
        await expect(_card(page).locator(".by.mine")).to_be_visible(timeout=WITHIN_MS)
        await page.reload()
        await expect(_card(page).locator(".by.mine")).to_be_visible(timeout=WITHIN_MS)


async def test_a_colleague_who_was_faster_is_named_and_can_be_taken_over_from(
    page: Page, desk: Opened, broker: Broker
) -> None:
    await _be(page, "A")
    async with Gateway(broker) as gateway:
        await gateway.ask(event())
        await expect(_card(page)).to_be_visible(timeout=WITHIN_MS)
        await desk.post(f"/api/incidents/{WEARABLE}-00000c/take", {"operator": "陈志强"})
        await expect(_card(page).locator(".by")).to_have_text("陈志强 has it", timeout=WITHIN_MS)
        await _card(page).get_by_role("button", name="Take over").click()
        await expect(_card(page).locator(".by.mine")).to_be_visible(timeout=WITHIN_MS)


async def test_the_language_is_switched_in_place_and_kept(page: Page, broker: Broker) -> None:
    async with Gateway(broker) as gateway:
        await gateway.ask(event(detail="hold"))
        await expect(_card(page).locator("h3")).to_have_text("SOSheld down", timeout=WITHIN_MS)
        await page.click("#language")
        await expect(_card(page).locator("h3")).to_have_text("呼救长按")
        await expect(_card(page).get_by_role("button", name="接警")).to_be_visible()
        await page.reload()
        await expect(page.locator("h1")).to_have_text("平安通接线台")
        assert await page.evaluate("document.documentElement.lang") == "zh-CN"


async def test_what_a_peer_says_stays_text(page: Page, desk: Opened, broker: Broker) -> None:
    """In every field that reaches the page: detail, raw, names of links, faults, operator and note."""
    async with Gateway(broker) as gateway:
        await gateway.ask(event(1, detail=_HOSTILE))
        await gateway.publish("event", b'{"v":1,"gateway":"gw-1","events":[' + _hostile_event() + b"]}")
        beat = {"v": 1, "gateway": "gw-1", "uptime_s": 1, "version": _HOSTILE, "waiting": 1, "counters": {}}
        links = [{"link": "ble", "name": _HOSTILE, "state": "down"}]
        await gateway.say("heartbeat", {**beat, "links": links})
        await gateway.publish("event", _HOSTILE.encode())
        await desk.post(f"/api/incidents/{WEARABLE}-000001/take", {"operator": "<b>A</b>"})
        closing = {"operator": "<b>A</b>", "outcome": "other", "note": _HOSTILE}
        await desk.post(f"/api/incidents/{WEARABLE}-000001/close", closing)
        await expect(_card(page, 2)).to_be_visible(timeout=WITHIN_MS)
        await expect(page.locator("#gateways")).to_contain_text(_HOSTILE, timeout=WITHIN_MS)
        await expect(page.locator("#lane-closed")).to_contain_text("<b>A</b>", timeout=WITHIN_MS)
        await page.reload()
        await expect(page.locator("#faults summary").first).to_be_attached(timeout=WITHIN_MS)
        await expect(_card(page, 2).locator(".raw code")).to_contain_text("onerror")
        assert await page.locator("img").count() == 0
        assert await page.title() != "1"


def _hostile_event() -> bytes:
    return json.dumps(event(2, battery_percent=_HOSTILE)).encode()


async def test_a_cancel_is_shown_on_its_sos_a_test_stands_apart_and_late_is_marked(page: Page, broker: Broker) -> None:
    async with Gateway(broker) as gateway:
        await gateway.ask(event(1))
        await gateway.ask(event(2, kind="sos_cancelled", detail="1", refers_to=f"{WEARABLE}-000001"))
        await gateway.ask(event(3, kind="test_by_hand", class_="test", test=True))
        # In a few seconds it will have been answered and closed by itself.
        await expect(page.locator("#lane-test article")).to_have_count(1, timeout=WITHIN_MS)
        await gateway.ask(event(4, age_ms=7_200_000, age_quality="at_least", late=True))
        await expect(_card(page, 4)).to_be_visible(timeout=WITHIN_MS)
        await expect(_card(page, 1).locator(".cancelled")).to_contain_text("The wearer cancelled")
        await expect(_card(page, 2)).to_have_count(0)
        await expect(page.locator("#lane-emergency article")).to_have_count(2)
        await expect(_card(page, 4).locator(".tag.late")).to_have_text("Late")
        await expect(_card(page, 4).locator(".age")).to_contain_text("≥ 2:00:")
        # Who took it back waits behind who did not.
        first = page.locator("#lane-emergency article").first
        await expect(first).to_have_attribute("data-event", f"{WEARABLE}-000004")


async def test_the_page_says_when_it_is_blind_and_sees_again_by_itself(page: Page, broker: Broker) -> None:
    broker.kill()
    await expect(page.locator(".alert")).to_contain_text("no connection to the message broker", timeout=WITHIN_MS)
    broker.start()
    await expect(page.locator(".alert")).to_have_count(0, timeout=WITHIN_MS)
    async with Gateway(broker) as gateway:
        await gateway.ask(event())
    await expect(_card(page)).to_be_visible(timeout=WITHIN_MS)


async def test_a_drill_cannot_be_overlooked(page: Page, desk: Opened) -> None:
    await desk.post("/api/drill", {"mode": "busy"})
    await expect(page.locator(".alert.drill")).to_contain_text("NOT stored", timeout=WITHIN_MS)
    await desk.post("/api/drill", {"mode": "off"})
    await expect(page.locator(".alert.drill")).to_have_count(0, timeout=WITHIN_MS)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (820, 1180), (360, 740)])
async def test_nothing_sticks_out_at_any_width(
    page: Page, broker: Broker, width: int, height: int, tmp_path: Path
) -> None:
    await page.set_viewport_size({"width": width, "height": height})
    async with Gateway(broker, "gw-" + "x" * 61) as gateway:
        await gateway.ask(event(1, kind="k" * 64), event(2, wearable="f" * 16, kind="not_understood", raw="ab" * 400))
        await gateway.ask(event(3, kind="test_periodic", class_="test", test=True))
        await expect(_card(page, 3)).to_be_visible(timeout=WITHIN_MS)
    await page.screenshot(path=Path(os.environ.get("PINGAN_SHOTS", tmp_path)) / f"desk-{width}.png", full_page=True)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    sticking_out = """[...document.querySelectorAll('article, article *')].filter((element) => {
        const card = element.closest('article').getBoundingClientRect();
        return element.getBoundingClientRect().right > card.right + 1;
    }).map((element) => element.className)"""
    assert await page.evaluate(sticking_out) == []


def test_the_page_has_a_word_for_every_kind_class_and_outcome() -> None:
    asked = [f"kind.{kind.name}" for kind in (*kinds.BY_CODE.values(), kinds.UNKNOWN)]
    asked += [f"class.{name}" for name in kinds.CLASSES] + [f"outcome.{name}" for name in OUTCOMES]
    asked += [f"detail.{name}" for names in kinds.DETAILS.values() for name in names.values()]
    asked += [f"link.{name}" for name in ("ble", "serial", "unknown")]
    asked += [f"stage.{name}" for name in ("pressed", "heard", "accepted", "answered", "closed")]
    asked += [f"gateway.{name}" for name in ("online", "offline", "lost")]
    asked += [f"drill.{name}" for name in ("busy", "refuse", "silent")]
    asked += [f"error.{name}" for name in ("taken", "no_such_incident", "not_understood", "store_failed", "forbidden")]
    for key in asked:
        assert set(catalogue()[f"desk.page.{key}"]) == set(LANGUAGES), key
