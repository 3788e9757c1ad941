"""Long stories in virtual time: weeks and months of a wearer's life, with everything real but the air and the time."""
