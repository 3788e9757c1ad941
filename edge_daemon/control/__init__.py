"""The gateway's control socket: what it says of itself, and what this machine's commands may tell it (README.md)."""
