"""A worker whose openai package retries by itself, as the package does by default."""

import sys
from functools import partial
from typing import Any

from tests.faults.naive import replace
from workers.__main__ import main
from workers.providers import openai_client


def _client(guarded: Any, **options: Any) -> Any:
    return guarded(**options | {"max_retries": 2})


replace(openai_client.openai, "OpenAI", partial(_client, openai_client.openai.OpenAI))

if __name__ == "__main__":
    sys.exit(main())
