"""Hostile values in requests, and the size of answers."""
