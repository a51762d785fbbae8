"""Sends requests, repeats those that the server defers, and raises errors."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpx

from .errors import SitelogError

#: Statuses with which the server asks to repeat a request later.
DEFERRED = (429, 503)
#: If the server asks for a longer pause, that is for the caller to decide.
LONGEST_PAUSE = 60.0

_deadline: ContextVar[float] = ContextVar("sitelog_deadline", default=float("inf"))


class DeadlineReached(Exception):
    """A request failed, and there is no time left to repeat it. The cause says why."""


@contextmanager
def no_pause_beyond(deadline: float) -> Iterator[None]:
    """Until this time of `time.monotonic` requests are repeated, and not later."""
    before = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(before)


class Http(httpx.Client):
    """An HTTP client for which an error is an exception."""

    def __init__(self, retries: int, **settings: Any) -> None:
        super().__init__(**settings)
        self._retries = retries

    def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        if request.method in ("POST", "PATCH"):
            # Set once, so that each repetition has the same: the server does not do the work twice.
            request.headers.setdefault("Idempotency-Key", str(uuid.uuid4()))
        attempt = 0
        while True:
            pause = min(2.0**attempt, 8.0)
            error: SitelogError | httpx.TransportError
            try:
                response = super().send(request, stream=stream, **options)
            except (httpx.NetworkError, httpx.RemoteProtocolError) as lost:
                error = lost
            else:
                if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
                    return response
                response.read()
                error = SitelogError.of(response)
                if error.status not in DEFERRED:
                    raise error
                if error.retry_after is not None:
                    pause = float(error.retry_after)
            attempt += 1
            if attempt > self._retries or pause > LONGEST_PAUSE:
                raise error
            if time.monotonic() + pause > _deadline.get():
                raise DeadlineReached from error
            time.sleep(pause)
