"""`pingan gateway install`, `upgrade`, `uninstall`: the gateway as a service of this machine.

Start reading at steps.py: what there is to do, as a list of steps; step.py carries such a list out, upgrade.py is the
one thing that can be taken back while it is done. README.md says what lies where. Nothing here but bundle.py needs more
than Python's own library: a bare machine has no more.
"""
