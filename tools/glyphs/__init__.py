"""`python -m tools.glyphs`: makes the watch's letters and icons (firmware/sos/screen/glyphs_*.py), or checks them.

Owns how a character becomes two bits per pixel. Only what the screen's own texts need is made. Start at __main__.py.
"""
