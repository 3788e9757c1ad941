"""The wearable's application: from a press to a light that tells the truth. app.py first.

Owns everything the wearer meets. Must not know any board's name: it is given a board (boards/contract.py) and asks
it for what it needs.
"""

# Goes into every heartbeat.
VERSION = (1, 0, 0)
