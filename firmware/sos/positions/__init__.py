"""Where the wearer is: taken from satellites sparingly, kept in flash, handed over sealed. Start reading at part.py."""
