"""Lets the master wait for the processes of single replies whose worker has died: they give their replies back first.

Each holds the writing end of one pipe, so that its end of file means that they are gone. The master's children inherit
it; whoever supervises the master may kill all that it leaves behind.
"""

import multiprocessing
from multiprocessing.connection import wait

# Seconds that a process of one reply may take, from the death of its worker to its own end.
TO_GIVE_BACK = 5.0

_reader, held = multiprocessing.Pipe(duplex=False)


def wait_for_stragglers() -> None:
    """For the master, whose children have ended: until the processes that these have started are gone, too."""
    held.close()
    wait([_reader], TO_GIVE_BACK)
