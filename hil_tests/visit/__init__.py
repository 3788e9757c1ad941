"""A technician's visit, unattended: from a bare board to a proven home, by the commands that a technician types."""
