"""The edge: hostile clients over the public wire. One file a kind of attack; others' latency is judged as a ratio."""
