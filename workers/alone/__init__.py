"""Writes a suspect reply in a process of its own, so that its death ends no other reply."""
