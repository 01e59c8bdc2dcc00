"""A worker that neither renews its leases nor checks that the attempt is still its own."""

import sys
from types import SimpleNamespace

from tests.faults.naive import replace, rewrite

rewrite(
    "shared.actions.replies.states",
    'Guard.WRITING: has_status(Status.RUNNING) & (messages.c.attempt == bindparam("of_attempt"))',
    'Guard.WRITING: bindparam("of_attempt", type_=messages.c.attempt.type) > 0',
)

from shared.redis import live_text  # noqa: E402
from workers import main as worker  # noqa: E402
from workers import watchdog  # noqa: E402
from workers.__main__ import main  # noqa: E402

_fence = "if current == 'closed' or (current and tonumber(current) > tonumber(attempt)) then"
assert _fence in live_text._APPEND, "the fence of the live text has moved"
replace(live_text, "_APPEND", live_text._APPEND.replace(_fence, "if false then"))
replace(watchdog.Watchdog, "watch", lambda self, run: None)
# a writer in a process of its own would be fenced
replace(worker, "AloneWriter", lambda settings, watchdog: SimpleNamespace(write=None))

if __name__ == "__main__":
    sys.exit(main())
