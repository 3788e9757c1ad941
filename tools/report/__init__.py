"""What a technician leaves behind: signed reports, and sheets of paper."""
