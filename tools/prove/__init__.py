"""`pingan prove`: the acceptance of a home, line by line, and its signed report."""
