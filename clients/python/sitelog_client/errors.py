"""The exceptions of this package."""

from typing import Any, Self
from uuid import UUID

import httpx


class SitelogError(Exception):
    """The server answered with an error. `code` is stable; the server explains each at `/docs/problems`."""

    def __init__(
        self, status: int, code: str | None, detail: str, retry_after: int | None, problem: dict[str, Any]
    ) -> None:
        super().__init__(f"{status} {code}: {detail}" if code else f"{status}: {detail}")
        self.status = status
        #: None if the answer is not from sitelog, but from a proxy in front of it.
        self.code = code
        self.detail = detail
        #: Seconds after which the server wants the request again.
        self.retry_after = retry_after
        #: All fields of the answer (`application/problem+json`), for example `input` or `line`.
        self.problem = problem

    @classmethod
    def of(cls, response: httpx.Response) -> Self:
        """The error of a response whose body was read."""
        try:
            answer = response.json()
        except ValueError:
            answer = None
        problem = answer if isinstance(answer, dict) else {}
        detail = problem.get("detail") or response.reason_phrase
        retry_after = response.headers.get("Retry-After", "")
        seconds = int(retry_after) if retry_after.isascii() and retry_after.isdigit() else None
        return cls(response.status_code, problem.get("code"), detail, seconds, problem)


class WaitTimeoutError(TimeoutError):
    """A scan or batch did not end in time. It continues on the server; `id` is its id, if the server has answered."""

    def __init__(self, message: str, id: UUID | None) -> None:
        super().__init__(message)
        self.id = id


class WebhookError(Exception):
    """A message is not from sitelog, was changed, or is too old."""
