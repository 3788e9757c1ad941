"""Links hear frames and carry answers back. They may lose, repeat and reorder; they say nothing about truth.

Each link calls `on_heard(Heard)` from the event loop and gives every Heard a Path for the answer.
"""
