"""Every error that a caller, an event or a stored message can name: one closed catalogue of codes.

A class's docstring is its title. Its `detail` is the sentence shown to people; it says what to do.
`api/http/errors.py` gives each its HTTP status.
"""
