"""The mistakes that settings can hold, each as one sentence that says how to mend it."""

from collections.abc import Iterator

from shared import failpoints
from shared.settings.addresses import trouble_with_database, trouble_with_redis
from shared.settings.fields import SLOWEST_SWEEP, Settings
from shared.settings.sites import trouble_with_site

# Seconds. A lease must outlast a lock wait of up to 5 s. Then the next renewal may take a third of the lease (D-79).
_SHORTEST_REAL_LEASE = 10


def mistakes(settings: Settings) -> Iterator[str]:
    """Why single settings can't be used: one sentence each."""
    if trouble := trouble_with_database(settings.database_url):
        yield trouble
    if settings.redis_url and (trouble := trouble_with_redis(settings.redis_url)):
        yield trouble
    named = dict.fromkeys(settings.allowed_origins, "ALLOWED_ORIGINS")
    named |= {settings.realtime_url: "REALTIME_URL", settings.public_url: "PUBLIC_URL"}
    for site, name in named.items():
        if site and (trouble := trouble_with_site(f"HOLDFAST_{name}", site)):
            yield trouble
    if settings.env == "production" and len(settings.secret_key) < 32:
        yield "SECRET_KEY must have at least 32 characters in production."
    if settings.failpoints and settings.env != "test":
        yield "HOLDFAST_FAILPOINTS makes programs die on purpose: it works with HOLDFAST_ENV=test only."
    try:
        failpoints.actions(settings.failpoints)
    except ValueError as error:
        yield f"HOLDFAST_FAILPOINTS: {error}"


def contradictions(settings: Settings) -> Iterator[str]:
    """Why times that are each allowed can't be used together (D-79): a reply would not run again in time."""
    reply = f"HOLDFAST_REPLY_TIMEOUT ({settings.reply_timeout:g})"
    lease = f"HOLDFAST_LEASE_SECONDS ({settings.lease_seconds:g})"
    sweep = f"HOLDFAST_SWEEP_SECONDS ({settings.sweep_seconds:g})"
    waits = {"FIRST_TEXT_TIMEOUT": settings.first_text_timeout, "SILENCE_TIMEOUT": settings.silence_timeout}
    for name, seconds in waits.items():
        if seconds >= settings.reply_timeout:
            yield (
                f"HOLDFAST_{name} ({seconds:g}) must be below {reply}:"
                " lower it or raise the other, else a model that hangs is never tried again."
            )
    if settings.lease_seconds + 2 * SLOWEST_SWEEP * settings.sweep_seconds >= settings.reply_timeout:
        yield (
            f"{lease} and two sweeps of {SLOWEST_SWEEP} x {sweep} must take less than {reply}:"
            " lower them or raise it, else the reply of a worker that died is never run again."
        )
    if settings.sweep_seconds > settings.lease_seconds:
        yield (
            f"{sweep} must not be above {lease}:"
            " lower it or raise the other, else a dead worker's replies wait too long."
        )
    if settings.env != "test" and settings.lease_seconds < _SHORTEST_REAL_LEASE:
        yield (
            f"{lease} must be {_SHORTEST_REAL_LEASE} or more unless HOLDFAST_ENV is test: raise it,"
            " else one wait for a lock of the database costs a living worker its replies."
        )
