"""Floods on sockets."""
