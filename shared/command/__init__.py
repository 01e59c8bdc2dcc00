"""The `holdfast` command, and what it starts."""
