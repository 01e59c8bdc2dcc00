"""Each setting with its type, default and range. `.env.example` explains each one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from environs import validate

from shared.settings.rates import Rate

PREFIX = "HOLDFAST_"
# Seconds. HOLDFAST_REPLY_TIMEOUT may not be longer.
LONGEST_REPLY = 3600
# Seconds. HOLDFAST_LEASE_SECONDS may not be longer. A worker tries for a whole lease to store a reply's ending (D-07).
# One minute after the deadline, the sweeper fails the reply (D-08) or Dramatiq ends the thread. So a lease must be
# shorter than a minute.
LONGEST_LEASE = 45
#: The value of HOLDFAST_TITLE_MODEL that switches titles by a model off.
NO_TITLES = "off"
# Two sweeps are at most this factor times HOLDFAST_SWEEP_SECONDS apart.
SLOWEST_SWEEP = 1.2


def _from(least: float, most: float) -> Callable[[Any], Any]:
    return validate.Range(min=least, max=most)


class SettingsError(Exception):
    """A setting is missing, malformed or misspelt. The message names the setting and says what to do."""


def _setting(name: str, kind: str, default: Any, rule: Callable[[Any], Any] | None = None) -> Any:
    return field(metadata={"name": name, "kind": kind, "default": default, "rule": rule})


_own = partial(lambda name, *rest: _setting(PREFIX + name, *rest))


@dataclass(frozen=True)
class Settings:
    """Every setting with its type. Times are in seconds. Sizes are in characters, unless the name says otherwise."""

    database_url: str = _setting("DATABASE_URL", "str", "")
    redis_url: str = _setting("REDIS_URL", "str", "")
    secret_key: str = _setting("SECRET_KEY", "str", "")
    port: int = _setting("PORT", "int", 8000, _from(1, 65535))
    realtime_port: int = _setting("REALTIME_PORT", "int", 8001, _from(1, 65535))
    openai_api_key: str = _setting("OPENAI_API_KEY", "str", "")
    openai_base_url: str = _setting("OPENAI_BASE_URL", "str", "")
    model: str = _setting("MODEL", "str", "")

    env: str = _own("ENV", "str", "development", validate.OneOf(["development", "production", "test"]))
    data_dir: Path = _own("DATA_DIR", "path", Path("var"))
    models: list[str] = _own("MODELS", "list", [])
    host: str = _own("HOST", "str", "127.0.0.1")
    public_url: str = _own("PUBLIC_URL", "str", "")
    realtime_url: str = _own("REALTIME_URL", "str", "")
    allowed_origins: list[str] = _own("ALLOWED_ORIGINS", "list", [])
    log_level: str = _own("LOG_LEVEL", "str", "INFO", validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]))

    web_workers: int = _own("WEB_WORKERS", "int", 1, _from(1, 64))
    web_threads: int = _own("WEB_THREADS", "int", 8, _from(1, 256))
    web_connections: int = _own("WEB_CONNECTIONS", "int", 4_000, _from(10, 1_000_000))
    web_connections_per_address: int = _own("WEB_CONNECTIONS_PER_ADDRESS", "int", 500, _from(1, 1_000_000))
    client_seconds: float = _own("CLIENT_SECONDS", "float", 10.0, _from(0.5, 300))
    worker_processes: int = _own("WORKER_PROCESSES", "int", 1, _from(1, 64))
    worker_threads: int = _own("WORKER_THREADS", "int", 32, _from(1, 1_000))
    drain_seconds: float = _own("DRAIN_SECONDS", "float", 10.0, _from(0.5, 600))
    max_sockets: int = _own("MAX_SOCKETS", "int", 20_000, _from(1, 1_000_000))
    max_sockets_per_user: int = _own("MAX_SOCKETS_PER_USER", "int", 50, _from(1, 1_000_000))
    max_strangers: int = _own("MAX_STRANGERS", "int", 1_000, _from(1, 1_000_000))
    share_realtime_port: bool = _own("SHARE_REALTIME_PORT", "bool", False)
    socket_auth_seconds: float = _own("SOCKET_AUTH_SECONDS", "float", 10.0, _from(0.1, 300))
    trusted_proxies: int = _own("TRUSTED_PROXIES", "int", 0, _from(0, 10))
    self_check_seconds: float = _own("SELF_CHECK_SECONDS", "float", 10.0, _from(0.2, 300))

    lease_seconds: float = _own("LEASE_SECONDS", "float", 30.0, _from(1, LONGEST_LEASE))
    sweep_seconds: float = _own("SWEEP_SECONDS", "float", 2.0, _from(0.05, 30))
    max_failures: int = _own("MAX_FAILURES", "int", 2, _from(1, 100))
    max_active_replies: int = _own("MAX_ACTIVE_REPLIES", "int", 2, _from(1, 1000))
    max_waiting_replies: int = _own("MAX_WAITING_REPLIES", "int", 50, _from(1, 10_000))
    first_text_timeout: float = _own("FIRST_TEXT_TIMEOUT", "float", 120.0, _from(0.1, LONGEST_REPLY))
    silence_timeout: float = _own("SILENCE_TIMEOUT", "float", 60.0, _from(0.1, LONGEST_REPLY))
    reply_timeout: float = _own("REPLY_TIMEOUT", "float", 900.0, _from(0.1, LONGEST_REPLY))
    queue_timeout: float = _own("QUEUE_TIMEOUT", "float", 900.0, _from(0.1, 604_800))
    turn_timeout: float = _own("TURN_TIMEOUT", "float", 86_400.0, _from(0.1, 2_592_000))

    signup_credits: int = _own("SIGNUP_CREDITS", "int", 300, _from(0, 100_000_000))
    credits_per_reply: int = _own("CREDITS_PER_REPLY", "int", 3, _from(0, 1_000_000))
    access_token_seconds: int = _own("ACCESS_TOKEN_SECONDS", "int", 900, _from(1, 86_400))
    refresh_token_seconds: int = _own("REFRESH_TOKEN_SECONDS", "int", 2_592_000, _from(1, 31_536_000))
    rate_limit_posts: str = _own("RATE_LIMIT_POSTS", "str", "60/minute", Rate.parse)
    rate_limit_requests: str = _own("RATE_LIMIT_REQUESTS", "str", "3000/minute", Rate.parse)
    rate_limit_sign_ups: str = _own("RATE_LIMIT_SIGN_UPS", "str", "20/hour", Rate.parse)
    rate_limit_auth: str = _own("RATE_LIMIT_AUTH", "str", "10/minute", Rate.parse)
    model_sends_finish_reason: bool = _own("MODEL_SENDS_FINISH_REASON", "bool", True)
    history_messages: int = _own("HISTORY_MESSAGES", "int", 10, _from(1, 1000))
    context_tokens: int = _own("CONTEXT_TOKENS", "int", 16_000, _from(1, 10_000_000))
    title_model: str = _own("TITLE_MODEL", "str", "")
    scripted_words_per_second: float = _own("SCRIPTED_WORDS_PER_SECOND", "float", 12.0, _from(0.1, 10_000))
    failpoints: str = _own("FAILPOINTS", "str", "")

    @property
    def provider(self) -> Literal["openai", "scripted"]:
        """`openai` when a key is set, else `scripted`, the offline model."""
        return "openai" if self.openai_api_key else "scripted"

    @property
    def makes_titles(self) -> bool:
        """Whether a model makes titles for chats without one."""
        return self.title_model != NO_TITLES

    @property
    def namespace(self) -> str:
        """The prefix of every Redis key and channel of this environment."""
        return f"holdfast:{self.env}"

    def require_services(self) -> None:
        """Raises SettingsError if REDIS_URL or SECRET_KEY is not set. `holdfast up` sets both by itself."""
        for name, value in (("REDIS_URL", self.redis_url), ("SECRET_KEY", self.secret_key)):
            if not value:
                raise SettingsError(f"{name} is not set. `holdfast up` sets it by itself, or see .env.example.")
