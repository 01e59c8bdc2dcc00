"""Every error that a response, an event or a stored message can name: one closed catalogue of codes.

The docstring of a class is its title. Clients show its `detail` to people, and the `detail` says what to do.
`api/http/errors.py` gives each error its HTTP status.
"""
