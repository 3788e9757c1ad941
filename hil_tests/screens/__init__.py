"""Captures of the key screens, made by the commands themselves in a real terminal: `python -m hil_tests.screens`."""
