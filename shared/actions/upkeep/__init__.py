"""The sweeper's upkeep: it forgets rows that are too old, and keeps the copy of the revocations in Redis."""
