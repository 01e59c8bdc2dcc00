"""Have Redis write its append-only file anew, so that deleted live text leaves the disk."""

import logging

from redis import RedisError
from redis.exceptions import ResponseError

from shared.redis.link import RedisLink

log = logging.getLogger(__name__)


def begin_rewrite(link: RedisLink) -> bool:
    """Begin to write the file anew, if Redis keeps one. False if Redis is away, or writes another one just now."""
    try:
        if link.client.info("persistence").get("aof_enabled"):
            link.client.execute_command("BGREWRITEAOF")
    except ResponseError as error:
        if "in progress" in str(error):
            return False
        log.warning("redis.not_rewritten: %s; erased live text stays in its file until it is rewritten", error)
    except RedisError:
        return False
    return True


def is_rewritten(link: RedisLink) -> bool:
    """Whether no rewrite is under way. If the last one failed, begins another one."""
    try:
        state = link.client.info("persistence")
    except ResponseError:  # it may not tell; begin_rewrite() has logged that
        return True
    except RedisError:
        return False
    if state.get("aof_rewrite_in_progress") or state.get("aof_rewrite_scheduled"):
        return False
    return state.get("aof_last_bgrewrite_status", "ok") == "ok" or (begin_rewrite(link) and False)
