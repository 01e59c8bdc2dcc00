"""What may be lost at any moment: queue entries, events, the text of running replies, a copy of the revocations."""
