"""Tells gateways what operators did. Guarantee: news owed in the store is told until the broker has it, over restarts.

Owns the order of telling and forgetting: published first, then struck off. Must not know HTTP or who acted.
"""

from __future__ import annotations

from itertools import groupby

from edge_daemon.log import Log
from tools.desk import answers
from tools.desk.brokers import Brokers
from tools.desk.errors import BrokerDown
from tools.desk.rounds import Down, Rounds
from tools.desk.store import Store, actions
from tools.desk.store.actions import News

log = Log("courier")

_AT_ONCE = 500


class Courier:
    """`wake()` when something may be owed or a broker is back."""

    def __init__(self, store: Store, brokers: Brokers) -> None:
        self._store = store
        self._brokers = brokers
        self._rounds = Rounds(self._tell, log, "news_untold")

    def wake(self) -> None:
        """Look now."""
        self._rounds.wake()

    async def run(self) -> None:
        """Tell for ever."""
        await self._rounds.run()

    async def _tell(self, down: Down) -> bool:
        """Tell the next of what is owed, by gateway; whether there was any."""
        if not self._brokers.connected:
            return False
        owed = await self._store.read(lambda connection: actions.owed(connection, _AT_ONCE, down))
        for gateway, group in groupby(owed, key=lambda news: (news.area, news.gateway)):
            whole = list(group)
            try:
                for at in range(0, len(whole), answers.BATCH):
                    await self._tell_gateway(*gateway, whole[at : at + answers.BATCH])
            except BrokerDown as error:
                down[gateway] = error
        return bool(owed)

    async def _tell_gateway(self, area: str, gateway: str, news: list[News]) -> None:
        rows = [answers.state(each.event, each.stage) for each in news]
        await self._brokers.tell(area, gateway, answers.news_topic(area, gateway), answers.payload(rows))
        await self._store.write(lambda transaction: actions.told(transaction, news))
        log.info("news_told", gateway=gateway, events=len(news))
