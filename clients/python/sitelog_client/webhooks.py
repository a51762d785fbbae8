"""Checks the signatures of webhooks as Standard Webhooks says: HMAC-SHA256 over `<id>.<timestamp>.<body>`."""

import base64
import hmac
import json
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

from .errors import WebhookError


def verify_webhook(
    secrets: str | Iterable[str], headers: Mapping[str, str], body: bytes | str, *, tolerance: float = 300
) -> dict[str, Any]:
    """Returns the event of a webhook. Raises WebhookError if the message is not signed with one of the secrets, or not
    within `tolerance` seconds of now.

    `body` is what was received, byte by byte: JSON that was read and written again has another signature. sitelog may
    send a message twice; both have the same `webhook-id`.
    """
    keys = [_key(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    received = {name.lower(): value for name, value in headers.items()}
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        if name not in received:
            raise WebhookError(f"the header {name} is missing")
    timestamp = received["webhook-timestamp"]
    if not re.fullmatch("[0-9]{1,12}", timestamp):
        raise WebhookError("the header webhook-timestamp is not a number of seconds")
    if abs(time.time() - int(timestamp)) > tolerance:
        raise WebhookError(f"the message was not signed within {tolerance:g} seconds of now")
    content = body.encode() if isinstance(body, str) else bytes(body)
    signed = f"{received['webhook-id']}.{timestamp}.".encode(errors="replace") + content
    expected = [b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256")) for key in keys]
    given = received["webhook-signature"].encode(errors="replace").split(b" ")
    if not any(hmac.compare_digest(one, other) for one in expected for other in given):
        raise WebhookError("the message is not signed with this secret, or was changed")
    event: dict[str, Any] = json.loads(content)
    return event


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.strip().removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    # Anybody can sign with an empty key.
    if not key:
        raise ValueError("a secret of a webhook is whsec_ and base64, as sitelog showed it")
    return key
