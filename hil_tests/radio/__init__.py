"""The air of the bench: wearables' interpreters and gateways' adapters, joined by Bumble controllers on one link.

Owns range, loss, delay, signal strength and the hostile radio. Must not know what a payload says.
`python -m hil_tests.radio` is the process; `process.RadioProcess` starts and steers it.
"""
