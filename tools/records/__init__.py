"""Who was made: sealed records for the platform, rows for gateways, and the kit's store of both."""
