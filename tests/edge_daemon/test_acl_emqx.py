"""The example for EMQX, held to the same rules as mosquitto's, by what EMQX's documentation says of such a file.

There is no EMQX to run here. This evaluates the rules as documented: from the top, the first that fits holds;
`${username}` is filled in; a filter is allowed when a rule's filter covers it word by word; $share/<group>/ is taken
off before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from .guarded_broker import AREA, DEPLOY, DESK, DESK_OF_ALL

_RULE = re.compile(
    r"""^\{(?P<permit>allow|deny),\s*(?:all|\{user,\s*(?:\{re,\s*"(?P<pattern>[^"]*)"\}|"(?P<user>[^"]*)")\})"""
    r"""(?:,\s*(?P<action>publish|subscribe),\s*\[(?P<topics>[^\]]*)\])?\}\.$"""
)


@dataclass(frozen=True)
class Rule:
    permit: bool
    pattern: str
    action: str
    topics: tuple[str, ...]

    def fits(self, user: str, action: str, topic: str) -> bool:
        if not re.search(self.pattern, user) or self.action not in ("", action):
            return False
        return not self.topics or any(_covers(own.replace("${username}", user), topic) for own in self.topics)


def _covers(rule: str, wish: str) -> bool:
    """Whether every topic that the wish matches is one that the rule matches."""
    own, asked = rule.split("/"), wish.split("/")
    for place, word in enumerate(own):
        if word == "#":
            return True
        if place >= len(asked) or (word != "+" and word != asked[place]) or asked[place] == "#":
            return False
    return len(own) == len(asked)


def _rules() -> list[Rule]:
    rules = []
    for line in (DEPLOY / "emqx/acl.conf").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("%%"):
            continue
        found = _RULE.match(line)
        assert found, f"not of the documented form: {line}"
        exact = re.escape(found["user"]) if found["user"] is not None else ""
        pattern = found["pattern"] or (f"^{exact}$" if exact else "")
        rules.append(
            Rule(
                found["permit"] == "allow",
                pattern,
                found["action"] or "",
                tuple(re.findall(r'"([^"]*)"', found["topics"] or "")),
            )
        )
    return rules


def _may(user: str, action: str, topic: str) -> bool:
    if action == "subscribe" and topic.startswith("$share/"):
        topic = topic.split("/", 2)[2]
    return next(rule.permit for rule in _rules() if rule.fits(user, action, topic))


@pytest.mark.parametrize(
    ("user", "action", "topic"),
    [
        *(("gw-1", "publish", f"pingan/v1/{AREA}/gw-1/up/{kind}") for kind in ("event", "status", "stranger")),
        *(("gw-1", "subscribe", f"pingan/v1/{AREA}/gw-1/down/{kind}") for kind in ("answer", "stranger", "command")),
        (DESK, "subscribe", f"pingan/v1/{AREA}/+/up/#"),
        (DESK, "subscribe", f"$share/x/pingan/v1/{AREA}/+/up/#"),
        (DESK, "publish", f"pingan/v1/{AREA}/gw-1/down/answer"),
        (DESK_OF_ALL, "subscribe", "pingan/v1/+/+/up/#"),
        (DESK_OF_ALL, "publish", "pingan/v1/other/gw-9/down/command"),
    ],
)
def test_what_each_needs_is_allowed(user: str, action: str, topic: str) -> None:
    assert _may(user, action, topic)


@pytest.mark.parametrize("user", ["gw-1", DESK, "desk.jianghai.2", "", "GW-1", "gw-1/up", "+", "#", "x y"])
@pytest.mark.parametrize(
    ("action", "topic"),
    [
        *(("subscribe", wish) for wish in ("#", "+/#", "pingan/#", "pingan/v1/+/+/up/#", "$SYS/#", "$share/x/#")),
        *(
            ("subscribe", f"pingan/v1/{AREA}/{rest}")
            for rest in ("gw-2/down/answer", "+/down/#", "+/down/+", "#", "gw-1/#")
        ),
        ("subscribe", "pingan/v1/other/gw-1/down/answer"),
        ("publish", f"pingan/v1/{AREA}/gw-2/up/event"),
        ("publish", "pingan/v1/other/gw-1/up/event"),
        ("publish", "pingan/v1/other/gw-1/down/answer"),
        ("publish", f"pingan/v1/{AREA}/gw-1x/up/event"),
        ("publish", "$SYS/broker/version"),
    ],
)
def test_what_is_anothers_is_refused(user: str, action: str, topic: str) -> None:
    assert not _may(user, action, topic)


def test_a_gateway_neither_answers_nor_joins_the_desks() -> None:
    assert not _may("gw-1", "publish", f"pingan/v1/{AREA}/gw-1/down/answer")
    assert not _may("gw-1", "subscribe", f"$share/known/pingan/v1/{AREA}/+/up/#")
    assert not _may("gw-1", "subscribe", f"pingan/v1/{AREA}/+/up/#")
    assert not _may(DESK, "publish", f"pingan/v1/{AREA}/gw-1/up/event")
