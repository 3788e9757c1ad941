"""The demo as a person meets it: the command, the two pages in a real browser, presses, taps, an operator's clicks."""

from __future__ import annotations

import asyncio
import io
import json
import re
import shutil
import signal
import sys
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Locator, Page, async_playwright, expect

from hil_tests.child import Child
from hil_tests.screens import watch
from tools.demo import picture

LINKS = {"pendant-ble": "ble", "pendant-serial": "serial", "watch": "ble"}
PENDANTS = ("pendant-ble", "pendant-serial")
# Places on the watch's glass, and what the desk says of each service, in the order of the watch's pages.
CORNER = (200, 200)
ROWS = ((120, 40), (120, 120))
SEND = (180, 120)
SOS_BAR = (80, 200)
ANSWER = (120, 120)
SERVICES = (
    "Asks for medical help", "Asks for care", "Asks for information",
    "Asks for counselling", "Asks for help in the home", "Asks to be called",
)  # fmt: skip
STANDS_S = 0.7
WAY = ["PRESSED", "STORED", "ACCEPTED", "ANSWERED", "CLOSED"]
CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SOON_MS = 60_000
MINUTE_MS = 60_000


@pytest.mark.virtual_air
async def test_one_press_on_each_link_and_one_service_unattended(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.cli", "demo", "--once", "--json"]
    demo = await Child.start("demo", command, tmp_path)
    assert await demo.ended(within_s=110) == 0
    rows = [json.loads(line) for line in demo.lines if line.startswith("{")]
    assert all(set(row) == {"wearable", "link", "event", "stage", "ms_since_press"} for row in rows)
    for name, link in LINKS.items():
        ours = [row for row in rows if row["wearable"] == name]
        assert {row["link"] for row in ours} == {link}
        assert [row["stage"] for row in ours] == WAY
        assert len({row["event"] for row in ours}) == 1
        assert re.fullmatch(r"[0-9a-f]{16}-[0-9a-f]{6}", ours[0]["event"])
        times = [row["ms_since_press"] for row in ours]
        assert times == sorted(times)
        # A hold takes a second: nothing can be stored before it. A tap does not.
        assert times[1] >= 1000 or name == "watch"


@pytest.mark.virtual_air
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (make setup-test installs it as root)")
async def test_a_person_presses_and_taps_in_the_browser_and_an_operator_answers_in_another(tmp_path: Path) -> None:
    demo = await Child.start("demo", [sys.executable, "-m", "tools.cli", "--lang", "en", "demo"], tmp_path)
    try:
        ready = await demo.said(lambda line: line.startswith("Ready."), within_s=60)
        page_url, desk_url = re.findall(r"http://127\.0\.0\.1:\d+/?", ready)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            try:
                page, desk = await browser.new_page(), await browser.new_page()
                faults: list[str] = []
                for one in (page, desk):
                    one.on("pageerror", lambda error: faults.append(str(error)))
                await page.goto(page_url)
                await desk.goto(desk_url)
                await _press_take_close(page, desk)
                await _tap_each_service(Glass(page, desk), tmp_path)
                assert faults == []
            finally:
                await browser.close()
    finally:
        code = await demo.stop()
    assert code == 0, demo.lines[-10:]


async def _press_take_close(page: Page, desk: Page) -> None:
    for number, name in enumerate(PENDANTS):
        pendant = page.locator(f".worn[data-name={name}]")
        await page.bring_to_front()
        box = await pendant.locator(".sos").bounding_box()
        assert box is not None
        await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        await page.mouse.down()
        await asyncio.sleep(1.3)
        await page.mouse.up()
        await expect(pendant.locator(".way .lit")).to_have_count(3, timeout=SOON_MS)
        await desk.bring_to_front()
        # Without a reload: the card comes by itself.
        card = desk.locator("article.stage-accepted")
        await expect(card).to_be_visible(timeout=SOON_MS)
        lit = pendant.locator(".way .lit")
        await _operate(desk, "SOS", lit, first=number == 0)
        await expect(lit).to_have_count(5, timeout=SOON_MS)
        assert re.search(r"closed\s*\d+ ms", await pendant.locator(".way").first.inner_text())


async def _tap_each_service(glass: Glass, folder: Path) -> None:
    """Each to the desk as what it is; the first of them, an SOS and a call to look there and back, too."""
    await glass.is_lit()
    await glass.shows_what_the_firmware_draws(folder)
    for place, service in enumerate(SERVICES):
        await glass.click(CORNER, *[CORNER] * (place // 2), ROWS[place % 2], SEND)
        await glass.comes_to_the_desk(service, back=place == 0)
    await glass.click(SOS_BAR, ANSWER)
    await glass.comes_to_the_desk("SOS", back=True)
    await glass.is_asked_and_answers()


class Glass:
    """The watch on the demo's page, and the desk beside it."""

    def __init__(self, page: Page, desk: Page) -> None:
        self._page = page
        self._desk = desk
        self._watch = page.locator(".worn[data-name=watch]")
        self._glass = self._watch.locator(".glass")
        self._home: bytes = b""

    async def is_lit(self) -> None:
        """In the dark the first tap lights; what it shows then is home."""
        await self._page.bring_to_front()
        async with asyncio.timeout(SOON_MS / 1000):
            while (seen := await self._picture()).getextrema() == ((0, 0),) * 3:
                await self._click(CORNER)
        self._home = _corner(seen)

    async def shows_what_the_firmware_draws(self, folder: Path) -> None:
        """To the pixel; in English, which came sealed from the desk as this wearer's setting."""
        drawn = folder / "pages"
        drawn.mkdir()
        watch.draw(drawn)
        page = Image.open(io.BytesIO(picture.png((drawn / "services-1.en").read_bytes()))).convert("RGB")
        async with asyncio.timeout((SOON_MS + MINUTE_MS) / 1000):
            while True:
                await self.click(CORNER)
                if (await self._picture()).tobytes() == page.tobytes():
                    return
                await asyncio.sleep(1)

    async def _picture(self) -> Image.Image:
        answer = await self._page.request.get(self._page.url + "glass.png")
        return Image.open(io.BytesIO(await answer.body())).convert("RGB")

    async def click(self, *places: tuple[int, int]) -> None:
        """From home, each place in turn, on a page that stands still."""
        await self._page.bring_to_front()
        for _ in range(6):
            if _corner(await self._picture()) == self._home:
                break
            await self._click(CORNER)
        for place in places:
            await self._click(place)

    async def _click(self, place: tuple[int, int]) -> None:
        await asyncio.sleep(STANDS_S)
        pages = await self._glass.get_attribute("data-pages") or ""
        await self._glass.click(position={"x": place[0], "y": place[1]})
        await expect(self._glass).not_to_have_attribute("data-pages", pages, timeout=SOON_MS)

    async def comes_to_the_desk(self, what: str, *, back: bool) -> None:
        """The desk's card says what it is. `back`: an operator takes and closes it, and the watch's page is told."""
        row = self._watch.locator(".way").first
        await expect(row.locator(".lit")).to_have_count(3, timeout=SOON_MS)
        await self._desk.bring_to_front()
        card = self._desk.locator("article.stage-accepted", has_text=what)
        await expect(card).to_be_visible(timeout=SOON_MS)
        if back:
            lit = row.locator(".lit")
            await _operate(self._desk, what, lit, first=False)
            await expect(lit).to_have_count(5, timeout=SOON_MS)

    async def is_asked_and_answers(self) -> None:
        """An operator's call reaches the glass, awake or when it is heard next; its answer comes to its end."""
        await self._page.bring_to_front()
        newest = self._watch.locator(".presses b").first
        before = await newest.inner_text()
        await self._watch.locator("[data-do=look]").click()
        await expect(self._watch).to_have_attribute("data-shows", "PROMPTED", timeout=SOON_MS + MINUTE_MS)
        await self._click(ANSWER)
        await expect(newest).not_to_have_text(before, timeout=SOON_MS)
        closed = self._watch.locator(".way").first.locator("span", has_text="closed")
        await expect(closed).to_have_class("lit", timeout=SOON_MS)


def _corner(page: Image.Image) -> bytes:
    return page.crop((160, 160, 240, 240)).tobytes()


async def _operate(desk: Page, what: str, lit: Locator, *, first: bool) -> None:
    """Take and close the incident of this kind as an operator does, who is asked for a name once.

    `lit`: the stages that its wearer has been shown, who is to see that somebody took it before it is over.
    """
    await desk.locator("article.stage-accepted", has_text=what).locator(".take").click()
    if first:
        await desk.locator("#who-name").fill("王芳")
        await desk.locator("#who button.primary").click()
    await expect(lit).to_have_count(4, timeout=SOON_MS)
    await desk.locator("article.stage-answered", has_text=what).locator(".close").click()
    await desk.locator("#outcomes button").first.click()


@pytest.mark.virtual_air
async def test_ctrl_c_ends_the_demo_and_leaves_nothing_running(tmp_path: Path) -> None:
    demo = await Child.start("demo", [sys.executable, "-m", "tools.cli", "--lang", "zh", "demo"], tmp_path)
    await demo.said(lambda line: line.startswith("就绪"), within_s=60)
    children = _children(demo.pid)
    assert len(children) >= 6
    demo._signal(signal.SIGINT)
    assert await demo.ended(within_s=20) == 0
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


def _children(pid: int) -> set[int]:
    """Everybody whose ancestor this is."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found = {pid}
    while new := {child for child, parent in parents.items() if parent in found} - found:
        found |= new
    return found - {pid}
