"""All data in Redis: queue entries, events, live text, and a copy of the revocations.

All of it may be lost at any moment. No accepted message is lost with it.
"""
