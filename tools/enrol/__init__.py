"""`pingan enrol`, `revoke`, `replace`: which wearables a gateway serves, while it runs or when it starts next."""
