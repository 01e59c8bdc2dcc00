"""The worker, which asks models and writes replies, and the sweeper, which rescues stuck replies."""
