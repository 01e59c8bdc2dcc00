"""Makes the master wait for processes that write a reply alone after their worker has died.

Such a process first gives its reply back (D-14). The master's children inherit one pipe, and each such process holds
its writing end. So the pipe ends when the last of them has ended. If the master did not wait, its supervisor might kill
them too early.
"""

import multiprocessing
from multiprocessing.connection import wait

# Seconds that a process may live on after the death of its worker, to give its reply back.
TO_GIVE_BACK = 5.0

_reader, held = multiprocessing.Pipe(duplex=False)


def wait_for_stragglers() -> None:
    """Wait until no such process is left, for TO_GIVE_BACK seconds at most. The master calls this at its end."""
    held.close()
    wait([_reader], TO_GIVE_BACK)
