"""What the technician's commands share: one way to tell what is done, to whom, and how it ended."""
