"""Turns, and the way onto the queue: dispatch, hand over, hand over again, park and resume."""
