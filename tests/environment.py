"""The environment of a test run, for programs and for Settings alike: real services, short times."""

from pathlib import Path

# Seconds. Two busy cores keep to these times, and a test can wait for them.
_TIMES = {
    "HOLDFAST_LEASE_SECONDS": "3",
    "HOLDFAST_SWEEP_SECONDS": "0.2",
    "HOLDFAST_FIRST_TEXT_TIMEOUT": "5",
    "HOLDFAST_SILENCE_TIMEOUT": "3",
    "HOLDFAST_REPLY_TIMEOUT": "20",
    "HOLDFAST_SELF_CHECK_SECONDS": "2",
}
#: Many users of a test come from one address, and some post a lot. A test of a limit sets its own.
NO_LIMITS = {f"HOLDFAST_RATE_LIMIT_{name}": "9999999/second" for name in ("POSTS", "REQUESTS", "SIGN_UPS", "AUTH")}


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
    }
