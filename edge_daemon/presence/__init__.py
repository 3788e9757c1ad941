"""Who is here: a resident who has left home, and a worker's visit. Start at presence.py."""
