"""A reply in a process of its own, where it can end nobody else's."""
