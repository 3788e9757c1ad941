"""The installations' place on the page, in a real Chromium: what is wrong at each gateway, and that it is over.

With PINGAN_SHOTS the pictures are kept, to be looked at.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from playwright.async_api import Page, expect

from hil_tests.broker.mosquitto import Broker
from protocol import kinds
from tests.tools.desk.browser import CHROMIUM, WITHIN_MS, chromium, page_on
from tests.tools.desk.desk_house import Opened
from tests.tools.desk.gateway import JOURNAL, WEARABLE, Gateway, event, own
from tests.tools.desk.test_watch import HOUR_MS, row, telemetry

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture
async def page(desk: Opened) -> AsyncIterator[Page]:
    async with chromium() as browser, page_on(browser, desk.desk.url, operator="王芳") as page:
        yield page


def beat(gateway: str, **over: Any) -> dict[str, Any]:
    """A heartbeat of a gateway that is well, with two ways out."""
    links = [
        {"link": "ble", "name": "hci0", "state": "up"},
        {"link": "serial", "name": "/dev/ttyACM0", "state": "quiet"},
    ]
    paths = [path("primary", used=True), path("sms", last_answer_age_s=3600)]
    made = {"v": 1, "gateway": gateway, "uptime_s": 86_400, "version": "1.0.0", "waiting": 0, "counters": {}}
    return made | {"links": links, "paths": paths} | over


def path(name: str, state: str = "up", **over: Any) -> dict[str, Any]:
    return {"name": name, "state": state, "used": False, "last_answer_age_s": 12, "last_test_age_s": 40_210, **over}


def site(page: Page, gateway: str = "gw-1") -> Any:
    return page.locator(f'.site[data-gateway="{gateway}"]')


def wrong(page: Page, number: int) -> Any:
    return page.locator(f'.wrong-row[data-event="{JOURNAL}-{number:06x}"]')


async def beat_of_long_ago(gateway: Gateway, ago_s: int) -> None:
    """A heartbeat that has lain at the broker, as its expiry says."""
    waited = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    waited.MessageExpiryInterval = 180 - ago_s
    payload = json.dumps(beat(gateway.name)).encode()
    await gateway._client.publish(f"{gateway.root}/up/heartbeat", payload, qos=1, properties=waited)


async def test_a_fault_stands_at_its_gateway_is_taken_and_is_over_without_a_click(
    page: Page, desk: Opened, broker: Broker
) -> None:
    async with Gateway(broker) as gateway:
        await gateway.say("heartbeat", beat("gw-1"))
        await expect(site(page).locator("summary")).to_contain_text("online", timeout=WITHIN_MS)
        assert not await site(page).evaluate("site => site.open"), "what is well is folded"
        await gateway.ask(own("mains_lost", 1, "ACAD", note="battery 80 %"))
        await expect(wrong(page, 1)).to_contain_text("Mains power lost", timeout=WITHIN_MS)
        await expect(wrong(page, 1)).to_contain_text("battery 80 %")
        await expect(page.locator("article")).to_have_count(0)
        assert await page.title() == "PingAnTong desk", "no call waits"
        (told,) = (await desk.get("/api/gateways"))["gateways"]
        assert [(each["kind"], each["about"], each["stage"]) for each in told["faults"]] == [
            ("mains_lost", "ACAD", "accepted")
        ]
        await wrong(page, 1).locator(".take").click()
        await expect(wrong(page, 1).locator(".by.mine")).to_be_visible(timeout=WITHIN_MS)
        assert await gateway.next_answer() == ([(f"{JOURNAL}-000001", "answered")], None)
        await gateway.ask(own("mains_restored", 2, "ACAD"))
        await expect(page.locator(".wrong-row.is-over")).to_contain_text("over after", timeout=WITHIN_MS)
        await expect(wrong(page, 1).locator("button")).to_have_count(0)
        await expect(page.locator("#over summary")).to_have_text("Over or noted by themselves: 1")
        await expect(page.locator("#lane-closed")).to_have_text("Nothing closed yet.")
        assert (await desk.get("/api/gateways"))["gateways"][0]["faults"] == []
        await page.reload()
        await expect(page.locator(".wrong-row.is-over")).to_contain_text("Mains power lost", timeout=WITHIN_MS)


async def test_a_person_can_close_a_fault_and_is_told_that_it_is_not_over(
    page: Page, desk: Opened, broker: Broker
) -> None:
    async with Gateway(broker) as gateway:
        await gateway.ask(own("link_lost", 1, "/dev/ttyACM0"), own("store_damaged", 2, "journal.sqlite3"))
        await expect(wrong(page, 1)).to_contain_text("port ttyACM0", timeout=WITHIN_MS)
        await wrong(page, 2).locator(".close").click()
        await expect(page.locator("#closing-hint")).to_be_hidden()
        await page.keyboard.press("Escape")
        await wrong(page, 1).locator(".close").click()
        await expect(page.locator("#closing-hint")).to_contain_text("not over yet")
        await page.get_by_role("button", name="Fixed").click()
        await expect(wrong(page, 1)).to_have_count(0, timeout=WITHIN_MS)
        await expect(page.locator("#lane-closed")).to_contain_text("Fixed · 王芳")
        # Enter and c are for people who call.
        await page.locator("body").press("Enter")
        assert (await desk.incidents())[f"{JOURNAL}-000002"]["stage"] == "accepted"


async def test_a_gateway_that_falls_silent_is_lost_before_everybodys_eyes_and_back_with_its_beat(
    page: Page, broker: Broker
) -> None:
    async with Gateway(broker, "gw-1") as gateway, Gateway(broker, "gw-2") as other:
        await other.say("heartbeat", beat("gw-2"))
        await beat_of_long_ago(gateway, 176)
        await expect(site(page)).to_have_class("site is-online", timeout=WITHIN_MS)
        await expect(site(page)).to_have_class("site is-lost has-wrong", timeout=WITHIN_MS)
        await expect(page.locator("#gateways > .site").first).to_have_attribute("data-gateway", "gw-1")
        await expect(page.locator("#count-gateways")).to_have_text("1/2")
        await gateway.say("heartbeat", beat("gw-1"))
        await expect(site(page)).to_have_class("site is-online", timeout=WITHIN_MS)
        await site(page).locator("summary").click()
        await expect(site(page).locator(".meta")).to_contain_text("was lost for 3:0")


async def test_links_and_ways_are_told_and_a_heartbeat_without_ways_will_do(page: Page, broker: Broker) -> None:
    deaf = {"link": "ble", "name": "hci0", "state": "deaf"}
    async with Gateway(broker) as gateway:
        plain = beat("gw-1")
        del plain["paths"]
        await gateway.say("heartbeat", plain)
        await expect(site(page).locator(".chips li")).to_have_count(2, timeout=WITHIN_MS)
        ways = [path("primary", "mute"), path("backup", used=True), path("sms", "down", last_answer_age_s=None)]
        await gateway.say("heartbeat", beat("gw-1", links=[deaf], paths=ways))
        await expect(site(page).locator(".chips li")).to_have_text(
            ["hci0 hears nothing", "first broker gives no answer", "second broker in use", "SMS not connected"],
            timeout=WITHIN_MS,
        )
        await expect(site(page).locator(".chips .ill")).to_have_count(3)


async def test_what_is_urgent_of_a_gateway_is_a_card_for_a_person_and_says_when_it_is_over(
    page: Page, broker: Broker
) -> None:
    async with Gateway(broker) as gateway:
        await gateway.ask(own("wearable_missing", 1, WEARABLE, note="not heard for 24 h"))
        await gateway.ask(own("certificate_expires_soon", 2, "primary own"))
        await gateway.ask(own("replay_rejected", 3, WEARABLE, stored=False))
        cards = page.locator("#lane-attention article")
        await expect(cards).to_have_count(3, timeout=WITHIN_MS)
        await expect(cards.nth(0)).to_contain_text("wearable 1d4f…8018")
        await expect(cards.nth(1)).to_contain_text("the gateway's own · first broker")
        await expect(cards.nth(2)).to_contain_text("Gateway could not store it")
        await gateway.ask(own("supervision_restored", 4, WEARABLE))
        await expect(page.locator("#lane-attention .cancelled")).to_contain_text("Over since", timeout=WITHIN_MS)
        await expect(cards).to_have_count(3)


async def test_wearables_that_nobody_hears_stand_first(page: Page, broker: Broker) -> None:
    async with Gateway(broker) as gateway:
        names = ["1" * 16, "2" * 16, "3" * 16]
        rows = [row(name, age_h * HOUR_MS) for name, age_h in zip(names, (0, 5, 30), strict=True)]
        await gateway.say("telemetry", telemetry(*rows))
        await gateway.say("heartbeat", beat("gw-1"))
        await expect(site(page)).to_be_visible(timeout=WITHIN_MS)
        await page.reload()
        await expect(page.locator("#wearables summary")).to_have_text("Wearables: 32 not heard", timeout=WITHIN_MS)
        lines = page.locator("#wearables .line")
        await expect(lines).to_have_count(3)
        await expect(lines.nth(0)).to_contain_text("not heard for a day")
        await expect(lines.nth(1)).to_contain_text("not heard for hours")
        await expect(lines.nth(2)).not_to_contain_text("not heard")


async def test_a_wearable_with_parts_out_of_use_says_which_in_the_readers_language(page: Page, broker: Broker) -> None:
    async with Gateway(broker) as gateway:
        rows = [row("1" * 16, parts_out=["screen", "motion", "of_a_later"]), row("2" * 16, parts_out=[]), row("3" * 16)]
        await gateway.publish("telemetry", json.dumps(telemetry(*rows)).encode())
        await gateway.say("heartbeat", beat("gw-1"))
        await expect(site(page)).to_be_visible(timeout=WITHIN_MS)
        await page.reload()
        lines = page.locator("#wearables .line")
        await expect(lines).to_have_count(3, timeout=WITHIN_MS)
        await expect(lines.nth(0)).to_contain_text("out of use: screen, fall detection, of_a_later")
        await expect(page.locator("#wearables .line.is-lost")).to_have_count(1)
        await expect(lines.nth(1)).not_to_contain_text("out of use")
        await page.click("#language")
        await expect(lines.nth(0)).to_contain_text("已失效：屏幕、跌倒检测、of_a_later")
        await gateway.ask(own("wearable_impaired", 1, "1" * 16, note="screen motion"))
        await expect(page.locator("body")).to_contain_text("设备部分功能失效", timeout=WITHIN_MS)


async def _evening(one: Gateway, two: Gateway, three: Gateway) -> None:
    """Two calls, and installations in every state there is."""
    await one.ask(event(1, detail="hold"))
    await one.ask(event(2, wearable="3f9ac120d48e77b1", kind="fall", detail="0", battery_percent=12))
    ways = [path("primary", "mute"), path("backup", used=True), path("sms", "down", last_answer_age_s=None)]
    deaf = {"link": "ble", "name": "hci0", "state": "deaf"}
    await one.say("heartbeat", beat(one.name, waiting=3, links=[deaf], paths=ways))
    await one.ask(own("radio_deaf", 1, "hci0", note="nothing heard for 60 s"))
    await one.ask(own("path_primary_lost", 2, "primary", note="no answer", age_ms=240_000))
    await one.ask(own("mains_lost", 3, "ACAD", age_ms=600_000), own("mains_restored", 4, "ACAD"))
    await one.ask(own("certificate_expires_soon", 5, "primary own", note="expires 2026-11-25 04:00Z"))
    await one.ask(own("restarted", 6, note="1.0.0"))
    await two.say("heartbeat", beat(two.name))
    await two.ask(own("wearable_missing", 1, "82d04e9911ab3c05", "00" * 8, note="not heard for 24 h"))
    await two.ask(own("store_full", 2, "journal.sqlite3", "00" * 8, stored=False))
    await beat_of_long_ago(three, 179)
    rows = [row("3f9ac120d48e77b1"), row("82d04e9911ab3c05", 26 * HOUR_MS), row("c07711f2a9e4086d", 5 * HOUR_MS)]
    await two.say("telemetry", telemetry(*rows) | {"gateway": two.name})


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_an_evening_of_faults_fits_a_desk_and_a_telephone(
    desk: Opened, broker: Broker, tmp_path: Path, language: str
) -> None:
    shots = Path(os.environ.get("PINGAN_SHOTS", tmp_path))
    names = ("jh-laolian-03", "jh-laolian-07", "jh-laolian-12", "jh-laolian-15")
    async with (
        Gateway(broker, names[0]) as one,
        Gateway(broker, names[1]) as two,
        Gateway(broker, names[2]) as three,
        Gateway(broker, names[3]) as four,
    ):
        await four.say("heartbeat", beat(names[3]))
        await _evening(one, two, three)
    async with chromium() as browser, page_on(browser, desk.desk.url, language, operator="王芳") as page:
        await expect(site(page, names[2])).to_have_class("site is-lost has-wrong", timeout=WITHIN_MS)
        await expect(page.locator(".wrong-row")).to_have_count(4, timeout=WITHIN_MS)
        await page.locator("#over summary").click()
        await page.locator("#wearables summary").click()
        for width, height in ((1280, 800), (390, 844)):
            await page.set_viewport_size({"width": width, "height": height})
            await page.screenshot(path=shots / f"installations-{language}-{width}.png", full_page=True)
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
            first = await page.locator("#lane-emergency").bounding_box()
            place = await page.locator("#gateways").bounding_box()
            assert first is not None
            assert place is not None
            assert first["y"] <= place["y"], "emergencies come first"
        assert "desk.page." not in await page.inner_text("body"), "words that the catalogue has not"
    assert (await desk.get("/api/faults"))["faults"] == []


async def test_a_district_without_mains_is_counted_and_only_the_first_are_drawn(page: Page, broker: Broker) -> None:
    async with Gateway(broker) as gateway:
        for number in range(60):
            gateway.name = f"gw-{number}"
            gateway.root = f"pingan/v1/jianghai/gw-{number}"
            await gateway.send(own("mains_lost", 1, "ACAD", f"{number + 1:016x}"))
        await expect(page.locator("#wrong")).to_have_text("Mains power lost 60", timeout=WITHIN_MS)
        await expect(page.locator("#gateways > .site")).to_have_count(50)
        await expect(page.locator("#gateways > .more")).to_contain_text("10 more")


def test_every_kind_of_the_gateways_own_has_its_place() -> None:
    """Of class fault or test: the installations; urgent and security: a card. Of class service: ends, and visits."""
    own = [kind for kind in kinds.BY_CODE.values() if kind.code >= kinds.FIRST_OF_GATEWAY]
    assert {kind.event_class for kind in own} == {"fault", "test", "urgent", "security", "service"}
    services = {kind.name for kind in own if kind.event_class == "service" and not kind.restore}
    assert services == {"badge_arrived", "badge_left"}
