"""A process that imports this module ignores the signals that tell a worker to end.

The fork server of `workers/alone/writer.py` imports this module first, so every process that it forks ignores them too.
A signal may reach a worker's whole process group at once. If the fork server ended then, its forks would end as well.
The worker itself tells its forks to end (D-15).
"""

import signal

for _number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(_number, signal.SIG_IGN)
