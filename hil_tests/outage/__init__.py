"""The rooms of a long outage: a crowd of wearables at their lines, moved clocks, a spy at the broker, the books."""
