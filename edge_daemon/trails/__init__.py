"""Wearers' trails on their way to the platform, sealed and unread here. Start at trails.py."""
