"""The environment of a test run, for programs and for Settings alike: real services, and times that fit tests."""

from pathlib import Path

from benchmarks.lab.limits import NO_LIMITS

# Seconds. Sweeps are frequent, because many tests wait for one. The other times are so long that a living program keeps
# to them on the busiest machine. A test of such a time sets a short one for itself. Only tests of the lapse
# itself wait for a lease: `Trial.kill_worker` ends those of a dead worker at once.
_TIMES = {
    "HOLDFAST_SWEEP_SECONDS": "0.2",
    "HOLDFAST_LEASE_SECONDS": "15",
    "HOLDFAST_FIRST_TEXT_TIMEOUT": "300",
    "HOLDFAST_SILENCE_TIMEOUT": "300",
    "HOLDFAST_REPLY_TIMEOUT": "600",
    "HOLDFAST_SELF_CHECK_SECONDS": "10",
}


def environment(database_url: str, redis_url: str, data_dir: Path, model_url: str) -> dict[str, str]:
    return {
        **_TIMES,
        **NO_LIMITS,
        "HOLDFAST_ENV": "test",
        "HOLDFAST_DATA_DIR": str(data_dir),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": "only-for-tests-and-long-enough-for-production",
        "OPENAI_API_KEY": "only-for-tests",
        "OPENAI_BASE_URL": model_url,
        "MODEL": "fake",
        "HOLDFAST_TITLE_MODEL": "off",
    }
