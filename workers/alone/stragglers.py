"""Lets the master wait for the processes that write a reply alone and whose worker has died.

Such a process first gives its reply back. Each one holds the writing end of one pipe, so the pipe ends when the last of
them has ended. The master's children inherit the pipe. A supervisor may kill all that the master leaves behind.
"""

import multiprocessing
from multiprocessing.connection import wait

# Seconds from a worker's death to the end of the processes in which its replies were written alone.
TO_GIVE_BACK = 5.0

_reader, held = multiprocessing.Pipe(duplex=False)


def wait_for_stragglers() -> None:
    """Called by the master when its children have ended: waits until the processes that they started have ended too."""
    held.close()
    wait([_reader], TO_GIVE_BACK)
