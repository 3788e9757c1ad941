"""Every way out of one gateway, put together from its configuration: two brokers, SMS, their tests, who is told.

Owns which ways there are. Holds no state of its own; each part's guarantee stands in its own first lines.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from edge_daemon.ages import Ages
from edge_daemon.clock import Clock
from edge_daemon.config import Config
from edge_daemon.counters import Counters
from edge_daemon.faults import Faults
from edge_daemon.forwarder import Forwarder
from edge_daemon.journal import Journal
from edge_daemon.sign import Sign
from edge_daemon.tls import Tls
from edge_daemon.uplinks.last_resort import LastResort
from edge_daemon.uplinks.mqtt import MqttUplink
from edge_daemon.uplinks.path_tests import PathTests
from edge_daemon.uplinks.path_watch import PathWatch
from edge_daemon.uplinks.sms.sms import SmsUplink
from edge_daemon.uplinks.way import Way
from edge_daemon.uplinks.ways import Ways


class Loop(Protocol):
    """A part that runs for as long as the gateway does."""

    async def run(self) -> None: ...  # noqa: D102


class Exits:
    """`ways` to send by; `watch` once the rest of the gateway is made; then all of `loops` are to be run."""

    def __init__(self, config: Config, clock: Clock, counters: Counters) -> None:
        self._config = config
        self._clock = clock
        self._counters = counters
        self._brokers = {"primary": MqttUplink(config.gateway, config.platform, counters)}
        if config.backup.enabled:
            self._brokers["backup"] = MqttUplink(config.gateway, config.backup, counters, "backup")
        misses, within_s = config.ways.misses, config.forwarder.answer_within_s
        ways = [Way(name, broker, misses, within_s, clock) for name, broker in self._brokers.items()]
        self.ways = Ways(config.gateway.id, ways, config.ways, clock, counters)
        state_dir = Path(config.gateway.state_dir)
        self._sms = SmsUplink(config.sms, state_dir, clock, counters) if config.sms.enabled else None
        self.loops: dict[str, Loop] = dict(self._brokers)

    def tls(self) -> dict[str, Tls]:
        """Of each broker that is reached by it."""
        return {name: broker.tls for name, broker in self._brokers.items() if broker.tls is not None}

    def watch(self, forwarder: Forwarder, faults: Faults, journal: Journal, ages: Ages) -> PathWatch:
        """Judge, test and tell the ways; have emergencies sent by SMS, and the house see what is wrong."""
        config, resort = self._config, None
        if self._sms is not None:
            resort = LastResort(config.gateway.id, self._sms, ages, config.ways.sms_repeat_s, self._counters)
            forwarder.on_stranded = resort.want
            self.loops |= {"sms": self._sms, "last resort": resort}
        tests = PathTests(
            config.gateway.id,
            config.ways.test_every_s,
            self.ways.all,
            resort,
            faults,
            journal,
            ages,
            self._counters,
        )
        heartbeat_s = config.forwarder.heartbeat_s
        watch = PathWatch(self.ways, self._sms, tests, faults, config.ways, heartbeat_s, self._clock)
        sign = Sign(config.sign)
        watch.on_platform = sign.no_platform
        forwarder.on_overdue = lambda: sign.no_answer(bool(forwarder.overdue))
        self.loops |= {"paths": watch, "sign": sign}
        return watch
