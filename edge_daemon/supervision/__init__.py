"""Who watches whom: what is overdue, what is about to end, and that the gateway itself moves."""
