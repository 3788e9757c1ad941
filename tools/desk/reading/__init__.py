"""What gateways say, read: any bytes in, checked records or faults out (contract: protocol/platform/). No I/O."""
