"""A worker that a message with the word "poison" kills. Start: `python -m tests.faults.lab.poisoned`.

The patch stands at module level. Otherwise the processes that the worker starts for single replies would lack it.
"""

import os
import signal
import sys

from workers import reply
from workers.__main__ import main
from workers.providers import Prompt


def _killed_by(prompt: Prompt) -> Prompt:
    if "poison" in prompt.messages[-1]["content"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return prompt


_real = reply.build_context
reply.build_context = lambda claim: _killed_by(_real(claim))

if __name__ == "__main__":
    sys.exit(main())
