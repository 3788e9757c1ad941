"""Care on the operator's page in a real Chromium: services, positions, calls to look, visits, plans."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from hil_tests.broker.mosquitto import Broker
from protocol import kinds
from tests.tools.desk.browser import CHROMIUM, WITHIN_MS, chromium, page_on
from tests.tools.desk.cared import own_settings, plan, row, says, until_said
from tests.tools.desk.desk_house import Opened, running, settings_for
from tests.tools.desk.gateway import JOURNAL, WEARABLE, Gateway, own
from tests.tools.desk.test_trails import hand_over, place
from tests.tools.desk.test_well_again import CHECKIN, worn
from tests.tools.desk.wearable import Wearable, key_file

BADGE = "00112233445566aa"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture
def wearable() -> Wearable:
    return Wearable()


@pytest.fixture
async def desk(broker: Broker, tmp_path: Path, wearable: Wearable) -> AsyncIterator[Opened]:
    keys = key_file(tmp_path / "keys.json", wearable)
    async with running(settings_for(broker, tmp_path, keys_file=keys)) as opened:
        yield opened


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


def _card(page: Page, number: int, of: str = WEARABLE) -> Any:
    return page.locator(f'article[data-event="{of}-{number:06x}"]')


def _of(wearable: Wearable, kind: str, number: int, **over: Any) -> dict[str, Any]:
    return worn(kind, number, event=f"{wearable.handle}-{number:06x}", wearable=wearable.handle, **over)


async def test_each_service_is_taken_and_closed_like_any_request_and_its_wearer_hears_it(
    browser: Browser, desk: Opened, broker: Broker
) -> None:
    services = {row.name: row.code for row in kinds.ON_AIR.values() if row.name.startswith("service_")}
    assert len(services) == 6
    async with Gateway(broker) as gateway, page_on(browser, desk.desk.url, "zh", "王芳") as page:
        for kind, number in services.items():
            name = f"{WEARABLE}-{number:06x}"
            assert await gateway.ask(worn(kind, number)) == [(name, "accepted")]
            card = page.locator("#lane-attention").locator(_card(page, number))
            await expect(card.locator(".tag")).to_have_text("服务", timeout=WITHIN_MS)
            assert await page.locator("#lane-emergency article").count() == 0
            await card.locator(".take").click()
            assert await gateway.next_answer() == ([(name, "answered")], None)
            await card.locator(".close").click()
            await page.locator("#outcomes button").first.click()
            assert await gateway.next_answer() == ([(name, "closed")], None)


async def test_who_got_up_after_a_fall_is_seen_and_rings_no_bell(
    browser: Browser, desk: Opened, broker: Broker
) -> None:
    """And what only says that all is well is no card at all."""
    async with Gateway(broker) as gateway, page_on(browser, desk.desk.url) as page:
        await gateway.ask(worn("fence_left", 1, "2"))
        await gateway.ask(worn("fence_entered", 2, "2"))
        await gateway.ask(worn("checkin_answered", 3, "checkin"))
        await gateway.ask(worn("fall_recovered", 4))
        card = page.locator("#lane-attention").locator(_card(page, 4))
        await expect(card.locator("h3")).to_have_text("Got up after a fall", timeout=WITHIN_MS)
        await expect(card.locator(".tag.well")).to_be_visible()
        await expect(_card(page, 1).locator(".cancelled")).to_contain_text("Over since")
        assert await page.locator("#lane-emergency article").count() == 0
        assert await page.locator("article").count() == 2
        assert await page.locator("#spoken").text_content() == ""
        await expect(page.locator("#over")).to_contain_text("Check-in answered")


async def test_a_position_follows_as_an_update_of_its_event(
    browser: Browser, desk: Opened, broker: Broker, wearable: Wearable
) -> None:
    async with Gateway(broker) as gateway, page_on(browser, desk.desk.url) as page:
        await gateway.ask(_of(wearable, "sos", 12))
        card = _card(page, 12, wearable.handle)
        await expect(card).to_be_visible(timeout=WITHIN_MS)
        await expect(card.locator(".position")).to_have_count(0)
        await hand_over(gateway, wearable, wearable.trail(1, place(0)), number=12)
        await expect(card.locator(".position a")).to_have_text("22.57830, 113.08160", timeout=WITHIN_MS)
        await expect(card.locator(".position")).to_contain_text("within 10 m")
        assert await card.locator(".position a").get_attribute("href") == "geo:22.5783,113.0816"
        assert await page.locator("article").count() == 1


async def test_a_wearer_is_called_and_their_answer_is_seen(browser: Browser, desk: Opened, broker: Broker) -> None:
    async with Gateway(broker) as gateway, page_on(browser, desk.desk.url, operator="王芳") as page:
        await gateway.ask(worn("home_left", 1))
        await gateway.ask(own("checkin_silent", 2, WEARABLE, note=f"{CHECKIN} tries=3"))
        silent = _card(page, 2, JOURNAL)
        await expect(silent.locator(".remark")).to_have_text(
            "Check-in · due 2026-11-28 08:00 · asked 3 ×", timeout=WITHIN_MS
        )
        await silent.get_by_role("button", name="Call to look").click()
        command = (await gateway.next("command"))["command"]
        await expect(silent.locator("p.look")).to_contain_text("on its way", timeout=WITHIN_MS)
        result = {"v": 1, "gateway": "gw-1", "command": command, "result": "done", "reason": None}
        await gateway.say("result", result)
        await expect(silent.locator("p.look")).to_contain_text("shown, no answer yet", timeout=WITHIN_MS)
        await gateway.ask(worn("checkin_answered", 3, "look", age_ms=0, heard_age_ms=0))
        for card in (silent, _card(page, 1)):
            await expect(card.locator("p.look")).to_contain_text("answered at", timeout=WITHIN_MS)


async def test_visits_and_who_lives_by_which_plan_are_seen(
    browser: Browser, desk: Opened, broker: Broker, wearable: Wearable
) -> None:
    async with Gateway(broker) as gateway:
        await gateway.ask(_of(wearable, "wearable_worn", 1))
        await gateway.ask(own("badge_arrived", 1, BADGE), own("badge_arrived", 2, "11" * 8))
        await gateway.ask(own("badge_left", 3, BADGE, note="minutes=42 purpose=care,medical"))
        sent = row(wearable, plan=plan(wearable, 1_796_000_007), settings=own_settings(wearable, 3))
        assert (await desk.post("/api/care", sent))[0] == 200
        await says(gateway, wearable, plan_version=1_796_000_007, settings_version=2)
        await until_said(desk, wearable, "gw-1", plan_version=1_796_000_007)
        async with page_on(browser, desk.desk.url) as page:
            await expect(page.locator("#visits summary")).to_have_text("Visits: 21 there now")
            await page.locator("#visits summary").click()
            await expect(page.locator("#visits .is-there")).to_have_count(1)
            await expect(page.locator("#visits")).to_contain_text("gw-1 · care, medical help")
            await expect(page.locator("#visits")).to_contain_text("42:00")
            await page.locator("#wearables summary").click()
            await expect(page.locator("#wearables .care .lived")).to_have_text("plan …00007")
            await expect(page.locator("#wearables .care .waits")).to_have_text("settings …3 not everywhere yet")
            assert await page.locator("article").count() == 0, "a visit is no card"
            await expect(page.locator("#over summary")).to_have_text("Over or noted by themselves: 1")
            await expect(page.locator("#gateways .wrong-row")).to_have_count(0)


async def test_screenshots(browser: Browser, desk: Opened, broker: Broker, wearable: Wearable, tmp_path: Path) -> None:
    """Nothing reaches over the edge of a phone, in either language. Pictures for people where PINGAN_SHOTS says."""
    async with Gateway(broker) as gateway:
        await gateway.ask(_of(wearable, "sos", 12, detail="fall_unanswered"))
        await hand_over(gateway, wearable, wearable.trail(1, place(0)), number=12)
        await gateway.ask(_of(wearable, "service_medical", 13), _of(wearable, "fall_recovered", 14))
        await gateway.ask(_of(wearable, "fence_left", 15), _of(wearable, "fence_entered", 16))
        await gateway.ask(own("checkin_not_worn", 1, wearable.handle, note=f"{CHECKIN} tries=3 worn=no"))
        await gateway.ask(own("badge_arrived", 2, BADGE), own("badge_left", 3, BADGE, note="minutes=42 purpose=care"))
        await gateway.ask(own("inactive", 4, wearable.handle, note="minutes=720 worn=yes by=motion"))
        await gateway.ask(own("badge_arrived", 5, BADGE))
        await desk.post(
            "/api/care", row(wearable, plan=plan(wearable, 1_796_000_007), settings=own_settings(wearable, 3))
        )
        await desk.post(f"/api/wearables/{wearable.handle}/look", {"operator": "王芳"})
        for language in ("zh", "en"):
            async with page_on(browser, desk.desk.url, language, "王芳") as page:
                await expect(page.locator("article")).to_have_count(6, timeout=WITHIN_MS)
                for panel in ("#visits", "#wearables", "#over"):
                    await page.locator(f"{panel} > summary").click()
                missing = await page.evaluate("document.body.innerText.match(/desk\\.page\\.\\S+/g)")
                assert missing is None, json.dumps(missing)
                for width in (1280, 390):
                    await page.set_viewport_size({"width": width, "height": 844})
                    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
                    shots = Path(os.environ.get("PINGAN_SHOTS", tmp_path))
                    await page.screenshot(path=shots / f"care-{language}-{width}.png", full_page=True)
