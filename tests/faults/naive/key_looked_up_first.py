"""A web program that looks up an Idempotency-Key, posts if the key is new, and then stores the key."""

import sys
from typing import Any

from sqlalchemy import bindparam, select

from api.resources import messages as api
from api.web import main
from shared.actions.messages.idempotency import Made, PostRequest, remember
from shared.database.units import query, write_unit
from shared.models.idempotency import idempotency_keys
from tests.faults.naive import replace

_known = select(idempotency_keys.c.id).where(
    idempotency_keys.c.user_id == bindparam("user_id"), idempotency_keys.c.key == bindparam("key")
)


def _post_message(user_id: str, request: PostRequest, key: str | None) -> Any:
    if key is None or query(_known, {"user_id": user_id, "key": key}).first():
        return guarded_post(user_id, request, key)
    posted = guarded_post(user_id, request, None)
    made = Made(posted.message.id, posted.reply.id)
    with write_unit():
        remember(user_id, key, request, made)
    return posted


guarded_post = replace(api, "post_message", _post_message)

if __name__ == "__main__":
    sys.exit(main())
