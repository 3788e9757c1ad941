"""Another site in the operator's browser reaches loopback too: what it must not be able to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil_tests.broker.mosquitto import Broker
from tests.tools.desk.desk_house import Opened, running, settings_for
from tests.tools.desk.gateway import WEARABLE, Gateway, event

PATH = f"/api/incidents/{WEARABLE}-00000c/take"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": ""},
    ],
    ids=str,
)
async def test_another_site_changes_nothing(desk: Opened, broker: Broker, headers: dict[str, str]) -> None:
    async with Gateway(broker) as gateway:
        await gateway.ask(event())
    sent = {"Content-Type": "application/json", **headers}
    async with desk.session.post(desk.desk.url + PATH, data=b'{"operator": "evil"}', headers=sent) as answer:
        assert answer.status in (400, 403)
    (incident,) = (await desk.incidents()).values()
    assert incident["stage"] == "accepted"


async def test_a_foreign_name_reads_nothing_either(desk: Opened) -> None:
    for path in ("/", "/api/incidents", "/api/stream", "/static/main.js"):
        async with desk.session.get(desk.desk.url + path, headers={"Host": "evil.example"}) as answer:
            assert answer.status == 403
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_every_answer_forbids_what_the_page_does_not_need(desk: Opened) -> None:
    for path in ("/", "/static/main.js", "/api/incidents", "/nothing"):
        async with desk.session.get(desk.desk.url + path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "Server" not in answer.headers


async def test_files_outside_the_static_folder_are_not_served(desk: Opened) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/"):
        async with desk.session.get(f"{desk.desk.url}{path}") as answer:
            assert answer.status in (403, 404)


async def test_a_body_that_is_too_large_or_no_json_is_refused(desk: Opened) -> None:
    headers = {"Content-Type": "application/json"}
    for body, status in ((b"x" * 20_000, 413), (b"{", 400), (b"\xff", 400), (b"[" * 9_000, 400)):
        async with desk.session.post(desk.desk.url + PATH, data=body, headers=headers) as answer:
            assert answer.status == status


async def test_drills_are_refused_unless_allowed(broker: Broker, tmp_path: Path) -> None:
    async with running(settings_for(broker, tmp_path)) as desk:
        status, said = await desk.post("/api/drill", {"mode": "refuse"})
        assert (status, said["error"]) == (403, "drills_not_allowed")
        assert (await desk.get("/api/drill"))["mode"] == "off"


async def test_a_proxys_name_is_served_when_it_was_given(broker: Broker, tmp_path: Path) -> None:
    async with running(settings_for(broker, tmp_path, served_as=("desk.example",))) as desk:
        for host, status in (("desk.example", 200), ("desk.example:443", 200), ("other.example", 403)):
            async with desk.session.get(desk.desk.url + "/api/incidents", headers={"Host": host}) as answer:
                assert answer.status == status
