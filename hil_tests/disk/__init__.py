"""The gateway's disk, hostile: what a file system may forget at a power cut, and what it does when it is full or dying.

`hostile_disk.c` stands between a real process and libc; the rest tells it what to do and reads what it wrote down.
"""
