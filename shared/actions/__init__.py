"""The verbs that touch several nouns. Each is one transaction, then its events, then its hand-over."""
