"""Makes the process that imports it deaf to what tells a worker to end: the worker itself passes that on.

The fork server of `workers/solo.py` imports it first, and all that it forks is deaf from birth. Signals may reach the
whole group of a worker at once, and a fork server that ended would take along what it has forked.
"""

import signal

for _number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(_number, signal.SIG_IGN)
