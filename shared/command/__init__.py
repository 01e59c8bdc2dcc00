"""The `holdfast` command, and the processes that it starts."""
