"""protocol/platform/README.md against schemas, AsyncAPI and the gateway: its payloads, its topics, its fields."""

from __future__ import annotations

import json
import re

import pytest

from edge_daemon import admission, commands, config, post
from edge_daemon.uplinks import answers, mqtt, way
from tests.protocol.test_contract import API, EXAMPLES, PLATFORM, SCHEMAS, validate
from tests.protocol.test_contract_care import example_plan

README = (PLATFORM / "README.md").read_text(encoding="utf-8")
PAYLOADS = re.findall(r"^```json (\S+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
# The schema of a topic, by its title.
BY_TOPIC = {schema["title"]: name for name, schema in SCHEMAS.items()}


@pytest.mark.parametrize(("topic", "text"), PAYLOADS, ids=[topic for topic, _ in PAYLOADS])
def test_a_payload_of_the_text_is_valid(topic: str, text: str) -> None:
    """By the schema of the topic that stands beside it."""
    validate(BY_TOPIC[topic], json.loads(text))


def test_every_message_has_a_payload_in_the_text() -> None:
    """A stranger sees each at least once; where the folder has the same example, they are alike."""
    assert {topic for topic, _ in PAYLOADS} == set(BY_TOPIC)
    examples = [json.loads(path.read_text()) for path in EXAMPLES]
    assert all(json.loads(text) in examples for _, text in PAYLOADS)


def test_the_table_of_topics_is_asyncapis() -> None:
    """Schema, expiry, and whether there is a response topic."""
    rows = re.findall(r"^\| `((?:up|down)/\w+)` \| (\w+)\.json \|[^|]+\| ([^|]+) \| ([^|]+) \|$", README, re.MULTILINE)
    assert {topic: schema for topic, schema, _, _ in rows} == BY_TOPIC
    for topic, _, expiry, response in rows:
        bindings = [
            operation
            for operation in API["operations"].values()
            if API["channels"][operation["channel"]["$ref"].rpartition("/")[2]]["address"].endswith(topic)
        ]
        for operation in bindings:
            told = expiry.partition(" s")[0].replace(",", "")
            assert operation["bindings"]["mqtt"].get("messageExpiryInterval") == (
                int(told) if told.isdigit() else None
            ), topic
            assert ("reply" in operation) == ("/down/" in response), topic


def test_the_expiries_are_the_gateways() -> None:
    """As its code has them."""
    assert way.BEAT_EXPIRY_S == 180
    assert post._TELEMETRY_EXPIRY_S == 3600
    assert post._STRANGER_EXPIRY_S == 60
    assert post._RESULT_EXPIRY_S == 3600
    assert (post._TRAIL_EXPIRY_S, post._CARE_EXPIRY_S) == (3600, 3600)
    assert f"{mqtt._SESSION_EXPIRY_S:,} s" in README
    assert API["servers"]["broker"]["bindings"]["mqtt"]["sessionExpiryInterval"] == mqtt._SESSION_EXPIRY_S


def test_every_field_of_an_event_is_explained() -> None:
    """In the table of section 3."""
    table = README.partition("| field of an event |")[2].partition("\n\n")[0]
    told = {
        name for cell in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", cell)
    }
    assert told == set(SCHEMAS["event"]["$defs"]["one_event"]["properties"])


def test_the_words_of_answers_and_results_are_explained() -> None:
    """All of them, and the reasons the gateway tells apart."""
    fields = SCHEMAS["answer"]["properties"]["answers"]["items"]["properties"]
    for word in [*fields["answer"]["enum"], *SCHEMAS["result"]["properties"]["result"]["enum"], *answers._REASONS]:
        assert f"`{word}`" in README, word


def test_the_limits_of_commands_are_the_gateways() -> None:
    """How many wait, how many results are told again, and every reason there is."""
    assert f"{commands.QUEUED_MOST:,} commands wait at this gateway" in README
    assert f"the last {commands.FINISHED_MOST:,} results" in README
    named = re.search(r"refused: ([a-z_, ]+)\.", SCHEMAS["result"]["properties"]["reason"]["description"])
    assert named is not None
    assert _refusals("## 6. Commands") == sorted(named.group(1).split(", "))


def _refusals(heading: str) -> list[str]:
    """The reasons in the table of results of a section."""
    section = README.partition(f"\n{heading}\n")[2].partition("\n## ")[0]
    return sorted(re.findall(r"^\| `refused` \| `(\w+)` \|", section, re.MULTILINE))


def test_every_refusal_of_a_plan_is_explained() -> None:
    """As the schema's description has them."""
    row = SCHEMAS["care_state"]["properties"]["rows"]["items"]["properties"]
    named = re.search(r"refused: ([a-z_, ]+)\.", row["reason"]["description"])
    assert named is not None
    assert _refusals("## 6b. Care plans and settings") == sorted(named.group(1).split(", "))


def test_every_field_of_a_plan_is_explained() -> None:
    """Those of the example in the folder, which opens with the vectors' keys."""
    section = README.partition("\n## 6b.")[2].partition("\n## ")[0]
    table = section.partition("| field | what |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(example_plan())


def test_how_far_a_platform_searches_is_as_far_as_a_gateway() -> None:
    """In numbers."""
    assert f"next **{config.Wearables().wide_window:,}** counters" in README
    assert f"the first {admission._FIRST_SEARCH:,} where" in README


def test_the_ladder_is_the_gateways() -> None:
    """Its defaults, in words."""
    ladder = config.Forwarder()
    words = " ".join(README.split())
    assert f"after {ladder.answer_within_s:.0f} s without an answer ({ladder.fast_times} times)" in words
    assert f"then every {ladder.slow_s:.0f} s ({ladder.slow_times} times)" in words
    assert f"then every {ladder.last_s:.0f} s for ever" in words
    assert "after three misses the wearer is told NO_PATH" in words
    assert ladder.no_path_after_misses == 3
