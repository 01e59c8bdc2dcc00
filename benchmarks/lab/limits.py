"""The environment of a run whose many users share one address, and post as often as they can."""

NO_LIMITS = {f"HOLDFAST_RATE_LIMIT_{name}": "9999999/second" for name in ("POSTS", "REQUESTS", "SIGN_UPS", "AUTH")}
