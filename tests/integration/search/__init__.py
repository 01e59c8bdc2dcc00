"""The search over one's own messages and titles."""
