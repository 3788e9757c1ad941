"""The gateway of the bench: the real daemon, whose bleak speaks to a Bumble host instead of BlueZ.

Owns that back end and the process around the daemon. Must not know the pipeline: the daemon runs unmodified.
"""
