"""What a part may do, and nothing else (parts.py): look, ask for an event, send a frame, take back what a fall began.

Owns the fence between parts and the alarm path: each call takes its turn between enter() and leave(), and gives the
wearer's light to an emergency first. Runs in the main loop. Must not know what parts there are.
"""

from protocol import codes

from . import stages
from .presses import is_service


class Reach:
    """`alarms`: all slots, to be read only. `prompt`: the question that runs (prompting.py), `kind` 0 for none.

    `trail_key` seals boxes for the platform. `motion`: the part of that name, or None. `feedback` is for reading.
    """

    def __init__(self, board, path, outbox, feedback, settings, clock, battery, trail_key):
        self.board = board
        self.feedback = feedback
        self.alarms = outbox.alarms
        self.prompt = path.prompting
        self.trail_key = trail_key
        self.folder = settings.folder
        self.motion = None
        self._path = path
        self._presses = path.presses
        self._outbox = outbox
        self._settings = settings
        self._clock = clock
        self._battery = battery
        # Set by the dialogue: send(frame type, body, way); hello().
        self.send = None
        self.hello = None

    # ---- what there is to know ----

    @property
    def settings(self):
        """The Settings in force."""
        return self._settings.now

    @property
    def settings_version(self):
        """Their version; 0: the defaults."""
        return self._settings.version

    @property
    def battery_percent(self):
        """-1 while not known."""
        return self._battery.percent

    @property
    def fall_state(self):
        """What has become of the newest fall: falls.NO_FALL, COUNTING_DOWN, TAKEN_BACK, SENT."""
        return self._presses.falls.state

    def now_ms(self):
        """Ms of this run."""
        return self.board.now_ms()

    def unix_s(self):
        """Seconds since 1970, UTC; 0 while nobody has said."""
        return self._clock.unix_s()

    def offset_minutes(self):
        """How far local time is ahead of UTC: as a gateway said with the time, else by the settings."""
        offset = self._clock.offset_minutes
        return self.settings.offset_minutes if offset is None else offset

    def emergency(self):
        """The newest emergency that is open, or counts down; None."""
        alarm = self._outbox.newest_told()
        return alarm if alarm is not None and alarm.emergency else None

    def falling_ms(self):
        """How long the countdown of a fall still runs; -1: there is none."""
        return self._presses.falls.left_ms(self.now_ms())

    # ---- what there is to do ----

    def request(self, kind, detail=0):
        """What the wearer asks for by hand: a service, a visit. Returns its Alarm; None: full, which was shown.

        A service that nobody has taken yet is asked for again: it goes out again, and no second one is made.
        """
        now_ms = self.now_ms()
        self._path.enter()
        alarm = self._waiting(kind)
        if alarm is None:
            alarm = self._outbox.add(kind, detail, now_ms, False)
        else:
            alarm.tries, alarm.due_ms = 0, now_ms
        emergency = self.emergency()
        if emergency is None:
            if alarm is None:
                self.feedback.begin(stages.REFUSED, 0, now_ms, False)
            else:
                self.feedback.begin(stages.PRESSED, alarm.number, now_ms, False)
        self._path.leave()
        return alarm

    def raise_event(self, kind, detail=0):
        """What the wearable has noticed. Returns its Alarm; None where there is no room for what is no emergency."""
        now_ms = self.now_ms()
        self._path.enter()
        alarm = self._outbox.add(kind, detail, now_ms, False)
        if alarm is not None and alarm.shown and alarm.emergency:
            self.feedback.begin(stages.PRESSED, alarm.number, now_ms)
        self._path.leave()
        return alarm

    def sos(self, detail):
        """An SOS, at once. Returns its Alarm."""
        self._path.enter()
        alarm = self._presses.sos(detail, self.now_ms())
        self._path.leave()
        return alarm

    def answer(self):
        """The question that runs is answered. Returns the event; None: there is none, or no room."""
        self._path.enter()
        alarm = self._presses.answer(self.now_ms())
        self._path.leave()
        return alarm

    def fall(self, for_s):
        """A fall: in flash as an SOS from now on, sent when this time is over. False: it has become one with an SOS."""
        self._path.enter()
        begun = self._presses.fall(self.now_ms(), for_s * 1000)
        self._path.leave()
        return begun

    def recovered(self, how=codes.GOT_UP):
        """The one who fell has got up, or said so (PRESSED_AWAY). False: nothing was counting down."""
        self._path.enter()
        done = self._presses.falls.recovered(how, self.now_ms())
        self._path.leave()
        return done

    def want_visit(self, waits, hello=True):
        """Whether there are TRAIL frames for whoever connects: said in each HELLO; with `hello`, in one now."""
        self._path.trail_waits = waits
        if waits and hello:
            self.hello()

    def tell_time(self, unix_s):
        """The satellites say what time it is; how far local time is ahead stays as it was."""
        self._clock.set(unix_s, self._clock.offset_minutes)

    def log(self, text):
        """A line for whoever develops."""
        self.board.log(text)

    def _waiting(self, kind):
        for alarm in self.alarms:
            if alarm.used and alarm.kind == kind and alarm.unsent and is_service(kind):
                return alarm
        return None
