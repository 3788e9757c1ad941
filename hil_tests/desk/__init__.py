"""The desk as a process of its own, as operators run it. Start at process.py."""
