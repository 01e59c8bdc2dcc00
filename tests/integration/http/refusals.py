"""The server refuses a request as a whole problem document."""

from typing import Any

POST = "/chats/{chat}/messages"


def refusal(answer: Any) -> tuple[int, str]:
    """The status and code of an answer that is a whole problem document."""
    assert answer.mimetype == "application/problem+json"
    problem = answer.json
    assert problem.keys() >= {"type", "title", "status", "detail", "code", "retryable"}
    assert problem["status"] == answer.status_code
    assert len(answer.data) < 2000
    return answer.status_code, problem["code"]
