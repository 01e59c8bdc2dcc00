"""Erased text is nowhere on the disk."""
