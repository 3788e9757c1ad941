"""Campaigns: seeded, repeatable programs that hurt the running system and count what was lost, doubled or wrong.

`python -m hil_tests.faults` runs them and prints the table; hil_tests/test_faults.py runs a short slice of each.
"""
