"""Have Redis write its append-only file anew, so that deleted live text leaves the disk."""

import logging
import time

from redis import RedisError
from redis.exceptions import ResponseError

from shared.redis.link import RedisLink

log = logging.getLogger(__name__)

# Seconds between two tries while rewrites fail: at first, and at most. A full disk, say, is seldom free soon, and each
# try costs Redis a fork (D-130).
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 64.0
_STAYS = "erased live text stays in its append-only file until Redis has written the file anew"


class Rewriting:
    """The rewrites of one Redis. Each pause after a failure is twice as long. The log has a line for each change."""

    def __init__(self) -> None:
        self._pause, self._again_at = _FIRST_PAUSE, 0.0
        self._troubled = self._refused = False

    def begin(self, link: RedisLink) -> bool:
        """Begin to write the file anew, if Redis keeps one. False if that has to be tried again soon.

        That is so while Redis is away, or writes another file just now. If Redis forbids rewrites, trying again would
        change nothing: the log tells of it, and the answer is True.
        """
        try:
            if link.client.info("persistence").get("aof_enabled"):
                link.client.execute_command("BGREWRITEAOF")
        except ResponseError as error:
            if "in progress" in str(error):
                return False
            self._refused = True
            self._note_trouble(str(error))
        except RedisError:
            return False
        else:
            self._refused = False
        return True

    def is_done(self, link: RedisLink) -> bool:
        """Whether no rewrite is under way, and the last one went well. If it failed, begins another one in time."""
        try:
            state = link.client.info("persistence")
        except ResponseError:  # it may not tell; begin() has logged that
            return True
        except RedisError:
            return False
        if state.get("aof_rewrite_in_progress") or state.get("aof_rewrite_scheduled"):
            return False
        if state.get("aof_enabled") and state.get("aof_last_bgrewrite_status", "ok") != "ok":
            self._note_trouble("the last rewrite failed")
            self._try_again(link)
            return False
        if self._troubled and not self._refused:
            self._pause, self._again_at, self._troubled = _FIRST_PAUSE, 0.0, False
            log.info("redis.rewritten: Redis has written its append-only file anew, or keeps none any more")
        return True

    def _try_again(self, link: RedisLink) -> None:
        if time.monotonic() >= self._again_at:
            self._again_at = time.monotonic() + self._pause
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            self.begin(link)

    def _note_trouble(self, cause: str) -> None:
        if not self._troubled:
            log.warning("redis.not_rewritten: %s; %s", cause, _STAYS)
        self._troubled = True
