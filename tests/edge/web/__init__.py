"""Slow clients, and requests that are not well-formed HTTP."""
