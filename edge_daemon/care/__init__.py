"""Active care, run by the gateway itself: check-ins, medicine, a look, inactivity. Start at care.py and README.md."""
