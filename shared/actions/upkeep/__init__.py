"""The sweeper's upkeep: forget rows that are too old, and keep the copy of the revocations in Redis."""
