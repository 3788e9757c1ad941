"""SMS by a serial modem, for when no broker answers. Start at sms.py, the way; modem.py is the one modem it goes by.

lines.py reads a modem's lines, port.py holds its tty, dialogue.py asks and hears, reports.py matches what became of a
message, ladder.py brings a modem back, budget.py is the limit of cost, memory.py what a restart must not forget, pin.py
the SIM's PIN, failures.py how all this fails.
"""
