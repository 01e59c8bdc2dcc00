"""Rate limits, guesses of passwords, and fair turns."""
