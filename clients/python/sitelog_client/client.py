"""What most programs need: scans and batches, waiting for their ends, and lists."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Protocol, Self, TypedDict, TypeVar, Unpack
from uuid import UUID

from ._http import DeadlineReached, Http, no_pause_beyond
from .errors import WaitTimeoutError
from .generated import AuthenticatedClient
from .generated.api.batches import create_batch, get_batch, list_batch_domains, list_batch_scans, list_batches
from .generated.api.changes import list_changes
from .generated.api.domains import get_domain, list_domains
from .generated.api.events import list_events
from .generated.api.scans import create_scan, get_scan, list_scans
from .generated.models import (
    AcceptedBatch,
    AcceptedScan,
    Batch,
    BatchDomain,
    Domain,
    DomainChange,
    EndedScan,
    Event,
    NewBatch,
    NewScan,
    Problem,
    Scan,
    SiteFile,
)
from .generated.types import UNSET, Unset

_ENDED = ("completed", "partial", "failed", "cancelled")
#: The longest time that the server waits within one request.
_LONGEST_WAIT = 60

T = TypeVar("T")


class ScanOptions(TypedDict, total=False):
    """The options of a scan, as in the API."""

    max_pages: int
    max_age_days: float
    files: list[SiteFile]
    sitemap_sample: int


class BatchOptions(ScanOptions, total=False):
    """The options of a batch, as in the API."""

    max_concurrent: int


class Page(Protocol[T]):
    """A page of a list."""

    items: list[T]
    next_: str | None | Unset


class HasStatus(Protocol):
    status: str


Ending = TypeVar("Ending", bound=HasStatus)


class Client:
    """A connection to a server. Close it at the end, or use it in a `with` statement.

    Every error of the server is a SitelogError. Requests that the server defers (429, 503) and those whose connection
    broke are repeated, `retries` times; POST requests carry an Idempotency-Key, so that nothing is done twice.
    """

    def __init__(
        self, url: str, key: str | None = None, *, tenant: str | None = None, retries: int = 5, timeout: float = 90
    ) -> None:
        headers = {}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        if tenant is not None:
            headers["X-Tenant-Id"] = tenant
        self._http = Http(retries, base_url=url, headers=headers, timeout=timeout)
        #: For the functions of `sitelog_client.generated.api`, which then repeat and raise as this class does.
        self.api = AuthenticatedClient(base_url=url, token=key or "", raise_on_unexpected_status=True)
        self.api.set_httpx_client(self._http)

    def scan(self, domain: str, **options: Unpack[ScanOptions]) -> AcceptedScan | EndedScan:
        """Requests a scan and does not wait. The answer is an EndedScan only if `max_age_days` found a recent one."""
        return self._request_scan(NewScan(domain=domain, **options))

    def scan_and_wait(self, domain: str, *, timeout: float = 300, **options: Unpack[ScanOptions]) -> EndedScan:
        """Requests a scan and returns it, with its result, when it has completed, failed or been cancelled."""
        body = NewScan(domain=domain, **options)
        # A repetition under the same key is the same scan, and the server waits again.
        key = str(uuid.uuid4())

        def ask(left: float) -> AcceptedScan | EndedScan:
            prefer = f"wait={min(int(left), _LONGEST_WAIT)}"
            return self._request_scan(body, key, prefer)

        ended = _until_ended(f"the scan of {domain}", timeout, ask, lambda scan: scan.scan_id)
        assert isinstance(ended, EndedScan)
        return ended

    def get_scan(self, scan_id: UUID | str) -> Scan:
        """A scan, with its result if it has completed."""
        return _sound(get_scan.sync(_uuid(scan_id), client=self.api), Scan)

    def wait_for_scan(self, scan_id: UUID | str, *, timeout: float = 300, at_least: int | None = None) -> Scan:
        """Returns a scan when it has completed, failed or been cancelled. After a retry, pass its `position`."""
        position, id = _position(at_least), _uuid(scan_id)

        def ask(_: float) -> Scan:
            return _sound(get_scan.sync(id, client=self.api, at_least=position), Scan)

        return _until_ended(f"the scan {id}", timeout, ask, lambda scan: scan.scan_id)

    def create_batch(self, domains: Iterable[str], **options: Unpack[BatchOptions]) -> AcceptedBatch:
        """Requests the scans of a list. `rejected` has the lines that are not domains; `batch_id` is None if
        `max_age_days` left nothing to do."""
        if isinstance(domains, str):
            raise TypeError("domains is one text; pass a list of domains")
        body = NewBatch(domains=list(domains), **options)
        return _sound(create_batch.sync(client=self.api, body=body), AcceptedBatch)

    def get_batch(self, batch_id: UUID | str) -> Batch:
        """A batch and its progress."""
        return _sound(get_batch.sync(_uuid(batch_id), client=self.api), Batch)

    def wait_for_batch(self, batch_id: UUID | str, *, timeout: float = 3600, at_least: int | None = None) -> Batch:
        """Returns a batch when its last scan has ended. After a retry, pass its `position`."""
        position, id = _position(at_least), _uuid(batch_id)

        def ask(_: float) -> Batch:
            return _sound(get_batch.sync(id, client=self.api, at_least=position), Batch)

        return _until_ended(f"the batch {id}", timeout, ask, lambda batch: batch.batch_id)

    def get_domain(self, domain: str) -> Domain:
        """The best known data of a domain."""
        return _sound(get_domain.sync(domain, client=self.api), Domain)

    def items(self, function: Callable[..., Page[T] | Problem | str | None], *path: Any, **filters: Any) -> Iterator[T]:
        """The rows of any list, page by page as they are needed. `function` is the `sync` of a generated list:
        `client.items(list_domain_urls.sync, "example.com")`. `limit` is the size of a page."""
        while True:
            page = function(*path, client=self.api, **filters)
            assert not isinstance(page, Problem | str | None)
            yield from page.items
            if not page.next_:
                return
            filters["cursor"] = page.next_

    def scans(self, **filters: Any) -> Iterator[Scan]:
        """Scans in the order of their requests, without results. Filters: `status`, `reason`, `domain`, `sort` …"""
        return self.items(list_scans.sync, **filters)

    def batches(self, **filters: Any) -> Iterator[Batch]:
        """Batches, newest first. Filters: `status`, `monitor`."""
        return self.items(list_batches.sync, **filters)

    def batch_scans(self, batch_id: UUID | str, **filters: Any) -> Iterator[Scan]:
        """The scans of a batch. Filters as for `scans`."""
        return self.items(list_batch_scans.sync, _uuid(batch_id), **filters)

    def batch_domains(self, batch_id: UUID | str, **filters: Any) -> Iterator[BatchDomain]:
        """The domains of a batch, line by line, with what is known of each. Filters as for `scans`."""
        return self.items(list_batch_domains.sync, _uuid(batch_id), **filters)

    def domains(self, **filters: Any) -> Iterator[Domain]:
        """Known domains. Filters: `technology`, `language`, `has_email`, `status`, `contains` …"""
        return self.items(list_domains.sync, **filters)

    def changes(self, **filters: Any) -> Iterator[DomainChange]:
        """What scans changed, newest first. Filters: `since`, `field`, `domain`, `batch`, `monitor`, `sort`."""
        return self.items(list_changes.sync, **filters)

    def events(self, **filters: Any) -> Iterator[Event]:
        """The log, in its order. Filters: `after`, `stream`."""
        return self.items(list_events.sync, **filters)

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _request_scan(
        self, body: NewScan, idempotency_key: str | Unset = UNSET, prefer: str | Unset = UNSET
    ) -> AcceptedScan | EndedScan:
        answer = create_scan.sync(client=self.api, body=body, idempotency_key=idempotency_key, prefer=prefer)
        assert isinstance(answer, AcceptedScan | EndedScan)
        return answer


def _until_ended(what: str, timeout: float, ask: Callable[[float], Ending], id_of: Callable[[Ending], UUID]) -> Ending:
    """Polls, with growing pauses, until the status of the answer is final."""
    deadline = time.monotonic() + timeout
    in_vain = f"{what} has not ended within {timeout:g} seconds"
    id, pause = None, 0.2
    while True:
        try:
            with no_pause_beyond(deadline):
                found = ask(max(deadline - time.monotonic(), 0))
        except DeadlineReached as reached:
            cause = reached.__cause__
            raise WaitTimeoutError(f"{in_vain}; the last request failed: {cause}", id) from cause
        if found.status in _ENDED:
            return found
        id = id_of(found)
        left = deadline - time.monotonic()
        if left <= 0:
            raise WaitTimeoutError(in_vain, id)
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, 5)


def _sound(answer: object, kind: type[T]) -> T:
    """A generated function may return a problem, as far as its type says; this client raises it."""
    assert isinstance(answer, kind)
    return answer


def _uuid(id: UUID | str) -> UUID:
    return id if isinstance(id, UUID) else UUID(id)


def _position(at_least: int | None) -> int | Unset:
    return UNSET if at_least is None else at_least
