"""`pingan walk-test`: where in a home a press is heard, and how well."""
