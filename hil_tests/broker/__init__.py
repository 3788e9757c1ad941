"""The broker's room: a real mosquitto on a free loopback port, and a hostile proxy before it. Knows no payload."""
