"""Load, latency and cost of the running programs, beside the simplest thing one would write instead."""
