"""A real Chromium with operators' pages in it. A script error or a request to anybody but the desk fails the test."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator

from playwright.async_api import Browser, Page, async_playwright, expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WITHIN_MS = 20_000
_QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser with nothing remembered."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_QUIET)
        try:
            yield browser
        finally:
            await browser.close()


@contextlib.asynccontextmanager
async def page_on(browser: Browser, url: str, language: str = "en", operator: str = "") -> AsyncIterator[Page]:
    """A fresh profile on the desk's page, once the page is live. `operator`: who sits there, if they said so before."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(WITHIN_MS)
    page = await context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    ours = (url + "/", "data:")
    page.on("request", lambda request: None if request.url.startswith(ours) else wrong.append(request.url))
    for key, value in (("pingan.language", language), ("pingan.operator", operator)):
        await page.add_init_script(f"localStorage.getItem('{key}') || localStorage.setItem('{key}', '{value}')")
    await page.goto(url)
    await expect(page.locator(".link.live")).to_be_visible(timeout=WITHIN_MS)
    try:
        yield page
    finally:
        await context.close()
    assert wrong == []
