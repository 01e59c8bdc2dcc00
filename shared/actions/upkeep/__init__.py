"""What the sweeper does with rows that are too old, and with the copy of the revocations in Redis."""
