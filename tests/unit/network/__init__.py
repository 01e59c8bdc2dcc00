"""Addresses, ports, and the limit of open files."""
