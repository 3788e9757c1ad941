"""Falls, steps, stillness and whether it is worn, from the accelerometer. README.md; part.py is where it plugs in."""
