"""The environment of a test run, for programs and for Settings alike: real services, short times."""

from pathlib import Path

from benchmarks.lab.limits import NO_LIMITS

# Seconds. Two busy cores keep to these times, and a test can wait for them.
_TIMES = {
    "HOLDFAST_LEASE_SECONDS": "3",
    "HOLDFAST_SWEEP_SECONDS": "0.2",
    "HOLDFAST_FIRST_TEXT_TIMEOUT": "5",
    "HOLDFAST_SILENCE_TIMEOUT": "3",
    "HOLDFAST_REPLY_TIMEOUT": "20",
    "HOLDFAST_SELF_CHECK_SECONDS": "2",
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
