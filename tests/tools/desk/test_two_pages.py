"""Two operators at two browsers, and a desk that dies under them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from hil_tests.broker.mosquitto import Broker
from hil_tests.desk.process import DeskProcess
from tests.tools.desk.browser import CHROMIUM, WITHIN_MS, chromium, page_on
from tests.tools.desk.desk_house import Opened
from tests.tools.desk.gateway import WEARABLE, Gateway, event

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


def _card(page: Page, number: int = 12) -> Any:
    return page.locator(f'article[data-event="{WEARABLE}-{number:06x}"]')


async def test_each_operator_sees_at_once_what_the_other_does(desk: Opened, broker: Broker) -> None:
    url = desk.desk.url
    async with (
        Gateway(broker) as gateway,
        chromium() as browser,
        page_on(browser, url, operator="王芳") as one,
        page_on(browser, url, language="zh", operator="陈志强") as two,
    ):
        await gateway.ask(event())
        for page in (one, two):
            await expect(_card(page)).to_be_visible(timeout=WITHIN_MS)
        await _card(one).locator(".take").click()
        await expect(_card(one).locator(".by.mine")).to_be_visible(timeout=WITHIN_MS)
        await expect(_card(two).locator(".by")).to_have_text("王芳 正在处理", timeout=WITHIN_MS)
        await expect(_card(two).locator(".take")).to_have_count(0)
        await _card(one).locator(".close").click()
        await one.locator("#outcomes button").first.click()
        for page in (one, two):
            await expect(_card(page)).to_have_count(0, timeout=WITHIN_MS)
            await expect(page.locator("#lane-closed")).to_contain_text("王芳")


async def test_two_who_click_at_the_same_moment_see_the_same_taker(desk: Opened, broker: Broker) -> None:
    url = desk.desk.url
    async with (
        Gateway(broker) as gateway,
        chromium() as browser,
        page_on(browser, url, operator="A") as one,
        page_on(browser, url, operator="B") as two,
    ):
        await gateway.ask(event())
        for page in (one, two):
            await expect(_card(page)).to_be_visible(timeout=WITHIN_MS)
        # Both clicks are made before either page can have heard of the other's.
        for page in (one, two):
            await page.evaluate("setTimeout(() => document.querySelector('article .take').click(), 200)")
        for page in (one, two):
            await expect(_card(page).locator(".by")).to_be_visible(timeout=WITHIN_MS)
        operator = (await desk.incidents())[f"{WEARABLE}-00000c"]["operator"]
        for page, name in ((one, "A"), (two, "B")):
            await expect(_card(page).locator(".by.mine")).to_have_count(1 if name == operator else 0)
    actions = (await desk.get(f"/api/incidents/{WEARABLE}-00000c"))["actions"]
    assert [row["action"] for row in actions] == ["accepted", "answered"]


async def test_a_page_says_that_its_desk_is_gone_and_misses_nothing_of_the_next(broker: Broker, tmp_path: Path) -> None:
    desk = await DeskProcess.start(tmp_path, broker.address)
    try:
        async with Gateway(broker) as gateway, chromium() as browser, page_on(browser, desk.url, operator="A") as page:
            await page.evaluate("window.stillTheSamePage = true")
            await gateway.ask(event(1))
            await expect(_card(page, 1)).to_be_visible(timeout=WITHIN_MS)
            await desk.kill()
            await expect(page.locator(".alert")).to_contain_text("lost the desk", timeout=WITHIN_MS)
            # What is clicked meanwhile is not done, and says so.
            await _card(page, 1).locator(".take").click()
            await expect(page.locator(".toast")).to_contain_text("did not answer", timeout=WITHIN_MS)
            await gateway.send(event(2))
            await desk.restart()
            await gateway.next_answer()
            await expect(_card(page, 2)).to_be_visible(timeout=WITHIN_MS)
            await expect(page.locator(".alert")).to_have_count(0, timeout=WITHIN_MS)
            await expect(_card(page, 1).locator(".take")).to_be_visible()
            assert await page.evaluate("window.stillTheSamePage")
    finally:
        await desk.stop()


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_busy_evening_fits_a_desk_and_a_telephone(
    desk: Opened, broker: Broker, tmp_path: Path, language: str
) -> None:
    """With PINGAN_SHOTS the pictures are kept, to be looked at."""
    shots = Path(os.environ.get("PINGAN_SHOTS", tmp_path))
    async with Gateway(broker, "jh-laolian-03") as one, Gateway(broker, "jh-laolian-07") as two:
        await _busy_evening(desk, one, two)
    async with chromium() as browser, page_on(browser, desk.desk.url, language, operator="王芳") as page:
        await expect(_card(page, 1)).to_be_visible(timeout=WITHIN_MS)
        for width, height in ((1280, 800), (390, 844)):
            await page.set_viewport_size({"width": width, "height": height})
            await page.screenshot(path=shots / f"evening-{language}-{width}.png")
            await page.screenshot(path=shots / f"evening-{language}-{width}-whole.png", full_page=True)
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await _card(page, 1).locator(".close").click()
        await page.screenshot(path=shots / f"evening-{language}-closing.png")
        # Every outcome can be reached on the smallest screen.
        box = await page.locator("#closing").bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 844


async def _busy_evening(desk: Opened, one: Gateway, two: Gateway) -> None:
    others = [
        f"{name:016x}" for name in (0x3F9AC120D48E77B1, 0x82D04E9911AB3C05, 0xC07711F2A9E4086D, 0x55E0A0D13C9F2B64)
    ]
    for gateway in (one, two):
        beat = {"v": 1, "gateway": gateway.name, "uptime_s": 86_400, "version": "1.0.0", "counters": {}}
        down = {"link": "serial", "name": "/dev/ttyACM0", "state": "up" if gateway is one else "down"}
        links = [{"link": "ble", "name": "hci0", "state": "up"}, down]
        await gateway.say("heartbeat", {**beat, "waiting": 0 if gateway is one else 3, "links": links})
    await one.ask(event(1, detail="hold"))
    await two.ask(event(1, detail="hold", rssi_dbm=-84))
    await one.ask(event(4, wearable=others[0], kind="fall", detail="0", battery_percent=12, rssi_dbm=-71))
    await one.ask(event(7, wearable=others[1]))
    cancel = {"kind": "sos_cancelled", "detail": "1", "refers_to": f"{others[1]}-000007"}
    await one.ask(event(8, wearable=others[1], **cancel))
    late = {"age_ms": 7_200_000, "age_quality": "at_least", "late": True}
    await two.ask(event(9, wearable=others[2], link="serial", rssi_dbm=None, **late))
    await two.ask(
        event(10, wearable=others[3], kind="wearable_battery_low", class_="fault", detail="0", battery_percent=9)
    )
    await two.ask(event(11, wearable=others[3], kind="service_call_me", class_="service", detail="0"))
    await one.ask(event(12, wearable=others[2], kind="test_by_hand", class_="test", test=True, detail="0"))
    await one.ask(event(20, wearable=others[0], kind="fall", detail="0"))
    taken, closed = f"{others[0]}-000004", f"{others[0]}-000014"
    await desk.post(f"/api/incidents/{taken}/take", {"operator": "陈志强"})
    await desk.post(f"/api/incidents/{closed}/close", {"operator": "陈志强", "outcome": "helped"})
