"""Makes room for connections in the limit of open files, because each connection is an open file."""

import logging
import resource

from shared.settings import SettingsError

log = logging.getLogger(__name__)

# Connections without which a program is of no use.
_FEWEST = 10
# The share of the wanted connections with which nobody needs a warning.
_PLENTY = 0.5


def room_for(wanted: int, others: int, setting: str) -> int:
    """How many connections this process can hold beside its other open files, at most as many as wanted (D-135).

    Raises the process's own limit if it must. If the system allows too few, the log says so. `setting` has the number.
    Raises SettingsError if there is no room at all.
    """
    needed = wanted + others
    _raise_own_limit(needed)
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY or limit >= needed:
        return wanted
    room = limit - others
    if room < _FEWEST:
        raise SettingsError(
            f"The limit of open files ({limit}) is too low: raise it to {needed} with `ulimit -n {needed}`,"
            f" or to at least {others + _FEWEST} for {_FEWEST} clients."
        )
    log.log(
        logging.INFO if room >= wanted * _PLENTY else logging.WARNING,
        "files.few: the limit of open files (%d) leaves room for %d connections; for %s (%d), set `ulimit -n %d`",
        *(limit, room, setting, wanted, needed),
    )
    return room


def _raise_own_limit(needed: int) -> None:
    own, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if own == resource.RLIM_INFINITY:
        return
    target = needed if most == resource.RLIM_INFINITY else min(needed, most)
    while target > own:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (target, most))
        except (OSError, ValueError):  # macOS has a second limit, which it tells nobody
            target //= 2
        else:
            return
