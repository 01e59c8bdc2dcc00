"""Reads requests and answers them: bodies, pages of a list, errors."""
