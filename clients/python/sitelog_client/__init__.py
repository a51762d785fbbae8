"""A client of sitelog.

`Client` requests scans and batches, waits for them and reads lists. `verify_webhook` checks what sitelog sends to you.
`sitelog_client.generated` has a function for each route of the API; pass `client.api` to it.
"""

from .client import BatchOptions, Client, ScanOptions
from .errors import SitelogError, WaitTimeoutError, WebhookError
from .generated.models import (
    AcceptedBatch,
    AcceptedScan,
    Batch,
    BatchDomain,
    Domain,
    DomainChange,
    EndedScan,
    Event,
    Scan,
)
from .webhooks import verify_webhook

__all__ = [
    "AcceptedBatch",
    "AcceptedScan",
    "Batch",
    "BatchDomain",
    "BatchOptions",
    "Client",
    "Domain",
    "DomainChange",
    "EndedScan",
    "Event",
    "Scan",
    "ScanOptions",
    "SitelogError",
    "WaitTimeoutError",
    "WebhookError",
    "verify_webhook",
]
