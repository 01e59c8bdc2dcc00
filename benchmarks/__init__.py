"""Measures load, latency and cost of the running programs, and of the simplest endpoint one would write instead."""
