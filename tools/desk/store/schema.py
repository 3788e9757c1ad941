"""The tables, the same on SQLite and PostgreSQL. Owns their shape and its version; runs no query but that.

Times are wall clock milliseconds since 1970 (`_ms`). `revision` numbers every change in the order of commits. A table
that is new is made where it is missing and leaves VERSION as it is: a desk from before it works beside one that has it.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

VERSION = 2

metadata = MetaData()
_Id = BigInteger().with_variant(Integer, "sqlite")

meta = Table("meta", metadata, Column("name", String, primary_key=True), Column("value", String, nullable=False))

# One row. Its lock also makes writers take turns, so that revisions become visible in their order.
revision = Table(
    "revision",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("event", String, nullable=False, unique=True),
    # wearable, or gateway: then `wearable` is its journal's random name, and `about` says what is meant.
    Column("source", String, nullable=False),
    Column("about", String),
    Column("remark", String),
    Column("wearable", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("event_class", String, nullable=False),
    Column("urgency", Integer, nullable=False),
    Column("detail", String, nullable=False),
    Column("test", Boolean, nullable=False),
    Column("restore", Boolean, nullable=False),
    Column("refers_to", String),
    Column("raw", Text),
    Column("dty", String, nullable=False),
    Column("stc", String, nullable=False),
    Column("lco", String),
    Column("contact_id", String),
    Column("battery_percent", Integer),
    # When it happened, at the latest; null: nobody knows.
    Column("pressed_ms", BigInteger),
    Column("age_quality", String, nullable=False),
    Column("late", Boolean, nullable=False),
    # accepted, answered, closed.
    Column("stage", String, nullable=False),
    Column("operator", String),
    Column("outcome", String),
    Column("note", Text),
    Column("accepted_ms", BigInteger, nullable=False),
    Column("answered_ms", BigInteger),
    Column("closed_ms", BigInteger),
    # Closed by no person: what ends by itself needs nobody's click (conditions.py).
    Column("by_itself", Boolean, nullable=False),
    # Of a gateway's condition: when it was over, and the event that says so.
    Column("ended_ms", BigInteger),
    Column("ended_by", String),
    Column("revision", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
_open = incidents.c.stage != "closed"
Index("incidents_open", incidents.c.urgency, incidents.c.id, sqlite_where=_open, postgresql_where=_open)
Index("incidents_closed", incidents.c.by_itself, incidents.c.closed_ms)
Index("incidents_revision", incidents.c.revision)
Index("incidents_open_of", incidents.c.wearable, sqlite_where=_open, postgresql_where=_open)
Index("incidents_refers_to", incidents.c.refers_to)

# Who heard it. A gateway that sends it again raises `times`.
reports = Table(
    "reports",
    metadata,
    Column("event", String, primary_key=True),
    Column("area", String, primary_key=True),
    Column("gateway", String, primary_key=True),
    Column("link", String, primary_key=True),
    Column("rssi_dbm", Integer),
    Column("battery_percent", Integer),
    Column("stored", Boolean, nullable=False),
    Column("sealed", Boolean, nullable=False),
    Column("heard_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("last_received_ms", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
)

# What was done, append-only: accepted, answered, taken_over, closed.
actions = Table(
    "actions",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("event", String, nullable=False, index=True),
    Column("action", String, nullable=False),
    Column("operator", String),
    Column("outcome", String),
    Column("note", Text),
    Column("at_ms", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

# Stages that a gateway has not been told yet. Written with the action, gone when the broker has the message.
news = Table(
    "news",
    metadata,
    Column("event", String, primary_key=True),
    Column("area", String, primary_key=True),
    Column("gateway", String, primary_key=True),
    Column("stage", String, nullable=False),
)

gateways = Table(
    "gateways",
    metadata,
    Column("area", String, primary_key=True),
    Column("gateway", String, primary_key=True),
    # online, offline: what it or its will said last. That it is lost is a matter of time, not of a row.
    Column("state", String, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    # The last time that it was away: from its last sign of life to its return.
    Column("lost_from_ms", BigInteger),
    Column("lost_until_ms", BigInteger),
    Column("heartbeat", Text),
    Column("revision", BigInteger, nullable=False, index=True),
)

# The newest sign of life of each wearable, whatever it was, and its newest heartbeat.
wearables = Table(
    "wearables",
    metadata,
    Column("wearable", String, primary_key=True),
    Column("area", String, nullable=False),
    Column("gateway", String, nullable=False),
    Column("heard_ms", BigInteger, nullable=False),
    Column("beat_ms", BigInteger),
    Column("heartbeat", Text),
)

# The highest counter taken of each wearable whose frames were opened here.
windows = Table(
    "windows",
    metadata,
    Column("wearable", String, primary_key=True),
    Column("counter", BigInteger, nullable=False),
)

# Sealed positions, by the identity of their box. Opened only for whoever asks.
trails = Table(
    "trails",
    metadata,
    Column("wearable", String, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    # Of the event that they are news of; 0: of none.
    Column("number", Integer, nullable=False),
    Column("box", LargeBinary, nullable=False),
    Column("area", String, nullable=False),
    Column("gateway", String, nullable=False),
    Column("heard_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
)
Index("trails_heard", trails.c.heard_ms)

# The newest position of each event that there is one of, whether the event has come or not.
positions = Table(
    "positions",
    metadata,
    Column("event", String, primary_key=True),
    Column("wearable", String, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("latitude_e5", Integer, nullable=False),
    Column("longitude_e5", Integer, nullable=False),
    # Within so many metres; null: not known.
    Column("accuracy_m", Integer),
    # By the gateway's and our clocks: whatever the satellites' time, it is forgotten in time.
    Column("heard_ms", BigInteger, nullable=False),
)
Index("positions_heard", positions.c.heard_ms)

# The highest sequence of each wearable's boxes that was purged: what lies below is past its time, too.
forgotten = Table(
    "forgotten",
    metadata,
    Column("wearable", String, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
)

# The newest plan and settings of each wearable, sealed, and what the desk may know of the plan where it has the keys.
care = Table(
    "care",
    metadata,
    Column("wearable", String, primary_key=True),
    Column("plan_version", BigInteger),
    Column("plan_box", LargeBinary),
    Column("settings_version", BigInteger),
    Column("settings_box", LargeBinary),
    Column("beneficiary", String),
    Column("centre", String),
    Column("retention_days", Integer),
)

# What each gateway was sent for a wearable, and what it says that it and the wearable live by.
care_at = Table(
    "care_at",
    metadata,
    Column("wearable", String, primary_key=True),
    Column("area", String, primary_key=True),
    Column("gateway", String, primary_key=True),
    Column("plan_version", BigInteger),
    Column("settings_version", BigInteger),
    Column("result", String),
    Column("reason", String),
    Column("said_ms", BigInteger),
    Column("sent_ms", BigInteger),
    # Whether it is to be sent now.
    Column("due", Boolean, nullable=False),
)
Index("care_at_gateway", care_at.c.area, care_at.c.gateway)

# Commands of operators, by gateway, and what became of them.
commands = Table(
    "commands",
    metadata,
    Column("command", String, primary_key=True),
    Column("area", String, primary_key=True),
    Column("gateway", String, primary_key=True),
    Column("wearable", String, nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("operator", String, nullable=False),
    Column("asked_ms", BigInteger, nullable=False),
    Column("result", String),
    Column("reason", String),
)

# Messages that were not of the contract, raw, the newest so many.
faults = Table(
    "faults",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("topic", String, nullable=False),
    Column("why", String, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    sqlite_autoincrement=True,
)
