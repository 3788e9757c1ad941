"""The `pingan` command: what a technician, an operator or a developer types. Start at cli.py.

Owns everything that talks to a person. Must not be imported by protocol/, firmware/ or edge_daemon/.
"""
