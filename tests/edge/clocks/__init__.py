"""Clocks that were set or differ."""
