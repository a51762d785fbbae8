//! The codes of problems and of failed scans, in words.

use crate::values::FailureReason;

/// A code that an answer may have.
pub(in crate::api) struct Code {
    /// The HTTP status it comes with.
    pub(in crate::api) status: u16,
    /// Stable.
    pub(in crate::api) code: &'static str,
    /// When it comes.
    pub(in crate::api) meaning: &'static str,
    /// What to do.
    pub(in crate::api) remedy: &'static str,
}

/// Why a scan may have failed.
pub(in crate::api) struct Reason {
    /// Stable.
    pub(in crate::api) reason: FailureReason,
    /// What was the matter.
    pub(in crate::api) meaning: &'static str,
    /// Whether another attempt follows by itself.
    pub(in crate::api) again: &'static str,
    /// What to do.
    pub(in crate::api) remedy: &'static str,
}

macro_rules! codes {
    ($($status:literal $code:literal $meaning:literal $remedy:literal;)+) => {
        /// All of them, by status.
        pub(in crate::api) const CODES: &[Code] = &[$(Code { status: $status, code: $code, meaning: $meaning, remedy: $remedy },)+];
    };
}

macro_rules! reasons {
    ($($reason:ident $meaning:literal $again:literal $remedy:literal;)+) => {
        /// All of them.
        pub(in crate::api) const REASONS: &[Reason] = &[$(Reason { reason: FailureReason::$reason, meaning: $meaning, again: $again, remedy: $remedy },)+];
    };
}

codes! {
    400 "invalid_json" "The body is not JSON." "Correct the JSON at `line` and `column`.";
    400 "invalid_query" "A parameter is invalid, for example `limit` or `cursor`." "`detail` says which, and what is allowed. A cursor is valid only for the list and `sort` it came from.";
    400 "invalid_tenant" "The header `X-Tenant-Id` is not a UUID." "Send the tenant's id, or omit the header.";
    400 "invalid_idempotency_key" "The header `Idempotency-Key` is empty or too long." "Use 1 to 255 printable ASCII characters.";
    400 "invalid_last_event_id" "The header `Last-Event-ID` is not a log position." "Send the `id` of an event that you received, or omit the header.";
    400 "unknown_parameter" "The query or the JSON contains a name that the route does not know." "`nearest` is the most similar known name; `known` lists all known names.";
    400 "not_utf8" "The list is not valid UTF-8." "Save it as UTF-8, or declare its encoding (`text/csv; charset=windows-1252`); `line` is the first invalid line.";
    400 "wrong_encoding" "The list does not match its declared or detected encoding, or the declared encoding is unknown." "Save it as UTF-8; `line` is the first invalid line.";
    400 "not_a_list" "The list is a file of another type, such as a PDF." "Save it as CSV, as plain text, or as an Excel workbook (.xlsx).";
    400 "invalid_workbook" "The workbook is damaged, or larger than 128 MB when unpacked." "Save the sheet with the domains as CSV.";
    400 "invalid_csv" "The list is not valid CSV: a quote is missing or there is one too many." "Correct the quote that opens on `line`.";
    400 "column_name_too_long" "The name of a column has more than 1,000 bytes, or all names together have more than 100,000." "`detail` names the column; shorten its name.";
    400 "unknown_column" "The list has no column with the name or number given in `column`." "`detail` lists its columns.";
    400 "body_unreadable" "The request body is incomplete." "Send the request again; with an `Idempotency-Key` it has no further effect.";
    400 "ambiguous_request" "The request's headers are ambiguous." "Send one header `Host`, and `Content-Length` or `Transfer-Encoding`, not both.";
    401 "unauthorized" "No key or token was sent." "Send `Authorization: Bearer …`; `sitelog key create` creates a key.";
    401 "invalid_credentials" "The key or token is unknown, expired or revoked." "Create a new key, or get a new token.";
    403 "insufficient_scope" "The key or token does not allow this." "Use one with the scope in the field `scope`.";
    403 "wrong_tenant" "`X-Tenant-Id` names another tenant than the key or token." "Omit the header, or use a key of that tenant.";
    403 "foreign_page" "The request comes from a web page of another origin, or (without access control) uses a host other than `localhost` or an IP address." "Programs must send a key or token, not a session cookie. Without access control, use `localhost` or the IP address, or turn access control on.";
    403 "url_quota_reached" "The tenant has reached its quota of stored URLs of sitemaps; nothing was requested." "Erase domains that are no longer needed, or ask the operator for a higher quota.";
    404 "not_found" "It does not exist, or it belongs to another tenant." "Check the id. If you have just created it, pass the `position` of the command's answer as `?at_least=`.";
    405 "method_not_allowed" "The path does not support this method." "`/openapi.json` and `/docs` list all routes.";
    408 "request_timeout" "The request body did not arrive in time." "Send it again, over a faster connection or in smaller parts.";
    409 "cannot_cancel" "It has completed or failed, and cannot be cancelled any more." "None: it has ended.";
    409 "cannot_retry" "It has completed or has not ended yet, nothing failed, or the batch was cancelled." "Request a new scan or batch instead.";
    409 "conflict" "The request conflicts with the current state of the scan." "Read the scan's current state and try again.";
    409 "monitor_cannot_run" "The monitor cannot run now: the batch of the run before has not ended, its filter matches no domain, or a quota is reached." "`reason` says which. Wait for the batch or cancel it, or change the monitor.";
    409 "webhook_disabled" "Nothing is sent to the webhook." "Enable it first: `POST /api/v4/webhooks/{id}/enable`.";
    413 "body_too_large" "The request body is larger than 32 MB." "Split the list into several batches.";
    415 "unsupported_media_type" "The route does not accept this `Content-Type`." "`detail` lists the accepted types.";
    422 "invalid_domain" "The text is not a domain." "Send a name with a top-level domain, or a URL; `input` is what you sent.";
    422 "invalid_field" "The JSON does not match the schema, or a value is out of range." "`detail` says what is expected; `/docs` shows an example.";
    422 "empty_batch" "The list has no domains." "Send at least one line.";
    422 "no_valid_domain" "No line of the list contains a valid domain." "`rejected` gives the reason for each line.";
    422 "too_many_domains" "More than 100,000 domains, or more than the tenant's quota." "Split the list into several batches.";
    422 "too_many_columns" "The list has more than 1,000 columns." "Remove columns that you do not need.";
    422 "too_many_rows" "More than 1,048,575 rows, the maximum of a workbook's sheet." "Filter the rows, or export CSV or NDJSON.";
    422 "too_many_monitors" "The tenant has 10,000 monitors." "Delete one that is no longer needed, or put several domains into one monitor.";
    422 "too_many_webhooks" "The tenant has 100 webhooks." "Delete one that is no longer needed.";
    422 "idempotency_key_reused" "The idempotency key belongs to another request." "Use a new key for a new request.";
    429 "too_many_requests" "The tenant has reached its rate limit, or it has so many concurrent reads that this one would wait too long." "Repeat after `Retry-After` seconds; `RateLimit` shows the remaining requests.";
    429 "too_many_streams" "The tenant has reached the maximum number of open event streams." "Close some, or watch batches instead of each scan.";
    500 "internal" "An internal error of the server; its log has the cause." "Contact the operator and give the time of the request.";
    503 "unavailable" "The database does not respond or is full, a query or the request took too long, read models are being built, a workbook cannot be written, or `at_least` was not reached in time." "Repeat after `Retry-After` seconds, with the same `Idempotency-Key`; use filters if a query took too long.";
    503 "overloaded" "The server has too many concurrent requests, event streams, workbooks or large request bodies; nothing was done." "Repeat after `Retry-After` seconds.";
}

reasons! {
    InvalidDomain "The text is not a domain name." "no" "Correct the list and send it again.";
    NameNotResolved "DNS has no address for the name, with or without `www.`." "only if DNS did not answer" "Check the spelling; the domain may have expired.";
    ConnectFailed "The TCP connection failed, or it was closed before a response." "yes" "Try again later: the site is down, or it blocks sitelog.";
    TlsFailed "The TLS handshake failed, and plain HTTP did not work either." "only if the connection was closed" "None: the site's certificate or TLS settings are faulty.";
    Timeout "Connecting, the first byte, the body or the whole attempt took too long." "yes" "Retry the scan when the site is less busy.";
    ForbiddenAddress "The name or a redirect leads to an address that is not public, or to a port other than 80 and 443." "no" "If it is your own network, allow it with `SITELOG_FETCH__ALLOW_PRIVATE`.";
    BlockedByRobots "A rule of the site's robots.txt disallows the home page." "no" "Respect the rule, or ask the site's owner for access.";
    HttpStatus "robots.txt returned status 429 or 5xx, or the home page a status other than 2xx." "for 408, 425, 429 and 5xx" "`error` contains the status; retry the scan if the cause may be temporary.";
    RedirectLimit "Too many redirects, a redirect loop, or the scan's budget of requests was used up." "no" "Check where the site redirects to, and scan that domain instead.";
    TooLarge "The site has no usable content within the size limit." "no" "None: the site exceeds the size limit.";
    NotHtml "The home page is not HTML." "no" "None, unless the site changes.";
    EmptyBody "The home page has no content." "no" "Retry the scan later.";
    RobotsUnavailable "robots.txt could not be read, for a reason that has no code of its own." "no" "Retry the scan later.";
    Deadline "The time limit of the whole scan, over all attempts, was reached." "no" "Retry the scan when the site is less busy.";
    ProtocolError "The response is not valid HTTP." "yes" "None: the site's server is faulty.";
    Abandoned "The workers that ran the scan crashed repeatedly." "no" "Check the server's log and memory, then retry the scan.";
    Imported "The scan failed in the predecessor; `error` has its message." "no" "Request a new scan.";
    Internal "An internal error of sitelog; the log of the process has the cause." "no" "Contact the operator, then retry the scan.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_there_once_in_the_order_of_its_codes() {
        let known: Vec<FailureReason> = REASONS.iter().map(|reason| reason.reason).collect();
        assert_eq!(known, FailureReason::ALL);
    }

    #[test]
    fn codes_are_there_once_by_status() {
        let mut seen = std::collections::HashSet::new();
        assert!(CODES.iter().all(|code| seen.insert(code.code)));
        assert!(CODES.is_sorted_by_key(|code| code.status));
    }
}
