"""Locked rows, and long deletions."""
