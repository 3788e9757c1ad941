"""The broker's room: a real mosquitto on a free loopback port. Owns its process; knows no topic and no payload."""
