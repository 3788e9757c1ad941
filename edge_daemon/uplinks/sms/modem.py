"""The one modem: made ready, watched, handed a message. Owns the AT commands (V.250, 3GPP TS 27.005 and 27.007).

Must not know what is said, to how many, or how often. Each conversation is opened, used, and closed for good when it
fails (ModemFailed); opening it again, and how roughly, is sms.py's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge_daemon.config import Sms
from edge_daemon.log import Log
from edge_daemon.uplinks.sms import lines
from edge_daemon.uplinks.sms.dialogue import Dialogue
from edge_daemon.uplinks.sms.failures import CommandRefused, ModemFailed, SimUnusable
from edge_daemon.uplinks.sms.ladder import Step, Timing
from edge_daemon.uplinks.sms.pin import Pin

log = Log("uplink.sms")

_BEGIN_TRIES = 5
# TS 27.007, 9.2: +CME ERROR 14, the SIM is busy; it is for some seconds after a start.
_SIM_BUSY = 14
_SIM_STATES = ("SIM PUK", "SIM PIN2", "SIM PUK2", "PH-SIM PIN", "NOT INSERTED", "NOT READY", "SIM FAILURE")
_STORED_MOST = 32
# First octet 49: SMS-SUBMIT, relative validity, status report asked for (TS 23.040, 9.2.2.2). 167: valid for 24 h.
# 17: without the report, for networks and modems that have none.
_MESSAGE_SETTINGS = ("AT+CSMP=49,167,0,0", "AT+CSMP=17,167,0,0")
# Reports to us at once; or stored and told of; or whatever it has. Never the text of what strangers send (mt=0).
_REPORT_SETTINGS = ("AT+CNMI=2,0,0,1,0", "AT+CNMI=2,0,0,2,0", "AT+CNMI=1,0,0,1,0")
# Our texts are the same in both (protocol/sms_text.py); what a modem's default makes of them is not known.
_CHARACTER_SETS = ('AT+CSCS="GSM"', 'AT+CSCS="IRA"')
# What some modems have not, and we can do without: no echo, errors by number, no unasked registration lines, and no
# reports that want to be confirmed.
_IF_YOU_CAN = ("ATE0", "AT+CMEE=1", "AT+CREG=0", "AT+CEREG=0", "AT+CSMS=0")


class Modem:
    """`on_report` gets each delivery report. `registered` and `signal_dbm` are as last seen while it is open."""

    def __init__(self, settings: Sms, pin: Pin, timing: Timing, on_report: Callable[[lines.Report], None]) -> None:
        self._settings = settings
        self._pin = pin
        self._timing = timing
        self._on_report = on_report
        self._dialogue: Dialogue | None = None
        self._stored: list[tuple[str, int]] = []
        self._wake = asyncio.Event()
        self.registered = False
        self.signal_dbm: int | None = None

    async def open(self, step: Step) -> None:
        """Open the port and make the modem ready to send. Raises ModemFailed, SimUnusable."""
        self._stored.clear()
        if step is Step.RESET:
            await self._reset()
        dialogue = self._dialogue = self._new_dialogue()
        try:
            await dialogue.begin(_BEGIN_TRIES, self._timing.begin_s, self._timing.quiet_s)
            if step is Step.TO_DEFAULTS:
                await self._ask("ATZ")
            for command in _IF_YOU_CAN:
                await self._one_of((command,), "")
            await self._radio_on()
            await self._open_sim()
            await self.prepare()
            await self.look()
        except CommandRefused as error:
            raise ModemFailed(f"refuses {error.command}") from error

    def close(self) -> None:
        """Let the port go."""
        if self._dialogue is not None:
            self._dialogue.end("closed")
        self._dialogue = None
        self.registered = False
        self.signal_dbm = None

    def end(self, why: str) -> None:
        """End the conversation, as if it had failed."""
        if self._dialogue is not None:
            self._dialogue.end(why)

    async def prepare(self) -> None:
        """Settings without which a message goes wrong: a modem may have restarted and not said so."""
        try:
            await self._ask("AT+CMGF=1")
        except CommandRefused as error:
            raise ModemFailed("refuses text mode") from error
        await self._one_of(_CHARACTER_SETS, "sms_character_set_unknown")
        await self._one_of(_MESSAGE_SETTINGS, "sms_settings_unavailable")
        await self._one_of(_REPORT_SETTINGS, "sms_reports_unavailable")

    async def submit(self, number: str, text: str) -> int | None:
        """Hand a message over; its reference when the network has it (None: it has it and the modem muddled it).

        Raises CommandRefused: it was not sent. ModemFailed: perhaps it was.
        """
        timing = self._timing
        command = f'AT+CMGS="{number}",145'
        answer = await self._open().hand_over(
            command, text, "+CMGS:", prompt_s=timing.prompt_s, within_s=timing.taken_s
        )
        return lines.reference(answer[0])

    async def look(self) -> None:
        """Ask for registration and signal. Raises ModemFailed."""
        self.registered = await self._is_registered("CREG") or await self._is_registered("CEREG")
        try:
            answer = await self._ask("AT+CSQ", "+CSQ:")
        except CommandRefused:
            self.signal_dbm = None
        else:
            self.signal_dbm = lines.signal_dbm(answer[-1])

    async def wait(self, within_s: float) -> None:
        """Until there is something to do, or so long. Fetches reports that the modem has stored. Raises ModemFailed."""
        broken = self._open().broken
        waiting = [asyncio.create_task(event.wait()) for event in (broken, self._wake)]
        try:
            await asyncio.wait(waiting, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        self._wake.clear()
        while self._stored:
            await self._fetch(*self._stored.pop(0))

    def _open(self) -> Dialogue:
        if self._dialogue is None:
            raise ModemFailed("closed")
        return self._dialogue

    async def _ask(self, command: str, info: str = "") -> list[str]:
        return await self._open().ask(command, info, within_s=self._timing.answer_s)

    async def _one_of(self, commands: tuple[str, ...], otherwise: str) -> None:
        """The first that the modem takes. None: that is logged as `otherwise` and lived with."""
        for command in commands:
            try:
                await self._ask(command)
            except CommandRefused:
                continue
            return
        if otherwise:
            log.warning(otherwise)

    def _new_dialogue(self) -> Dialogue:
        return Dialogue(self._settings.port, self._settings.baud, self._unsolicited)

    async def _reset(self) -> None:
        """Restart the modem, whether it answers or not; as a USB device, it goes and comes back."""
        log.warning("sms_modem_reset")
        dialogue = self._dialogue = self._new_dialogue()
        dialogue.shout("AT+CFUN=1,1")
        await asyncio.sleep(self._timing.begin_s)
        dialogue.end("reset")
        await asyncio.sleep(self._timing.reset_pause_s)

    async def _radio_on(self) -> None:
        try:
            answer = await self._ask("AT+CFUN?", "+CFUN:")
            if not answer[-1].partition(":")[2].strip().startswith("1"):
                await self._ask("AT+CFUN=1")
        except CommandRefused as error:
            log.warning("sms_radio_unknown", code=error.code)

    async def _open_sim(self) -> None:
        """Wait until the SIM is open; enter the PIN where it is asked for. Raises SimUnusable."""
        entered = False
        try:
            async with asyncio.timeout(self._timing.sim_s):
                while (state := await self._sim_state()) != "READY":
                    if state == "SIM PIN" and not entered:
                        entered = True
                        await self._enter_pin()
                    elif state not in ("BUSY", "SIM PIN"):
                        raise SimUnusable(f"SIM says {state if state in _SIM_STATES else 'what we do not know'}")
                    await asyncio.sleep(self._timing.begin_s)
        except TimeoutError as error:
            raise SimUnusable("SIM does not open") from error
        self._pin.worked()

    async def _sim_state(self) -> str:
        try:
            return lines.sim_state((await self._ask("AT+CPIN?", "+CPIN:"))[-1])
        except CommandRefused as error:
            if error.code not in (None, _SIM_BUSY):
                raise SimUnusable(f"SIM error {error.code}") from error
            return "BUSY"

    async def _enter_pin(self) -> None:
        pin = await self._pin.take()
        try:
            await self._ask(f'AT+CPIN="{pin}"')
        except CommandRefused as error:
            raise SimUnusable(f"refuses the PIN ({error.code})") from error

    async def _is_registered(self, which: str) -> bool:
        try:
            answer = await self._ask(f"AT+{which}?", f"+{which}:")
        except CommandRefused:
            return False
        # Among them may be the unasked form, which says less.
        said = [known for known in map(lines.registered, answer) if known is not None]
        return bool(said) and said[-1]

    async def _fetch(self, memory: str, index: int) -> None:
        """A report that the modem has stored: read it, and delete it so that there is room for the next."""
        try:
            await self._ask(f'AT+CPMS="{memory}"')
            answer = await self._ask(f"AT+CMGR={index}", "+CMGR:")
            found = lines.report(answer[0])
            if found is not None:
                self._on_report(found)
                await self._ask(f"AT+CMGD={index}")
        except CommandRefused as error:
            log.warning("sms_report_unread", code=error.code)

    def _unsolicited(self, line: str) -> None:
        if line.startswith("+CDS:"):
            found = lines.report(line)
            if found is not None:
                self._on_report(found)
        elif (stored := lines.stored_report(line)) is not None and len(self._stored) < _STORED_MOST:
            self._stored.append(stored)
            self._wake.set()
