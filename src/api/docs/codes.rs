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
    400 "invalid_json" "The body is not JSON." "Mend it at `line` and `column`.";
    400 "invalid_query" "A parameter, `limit` or `cursor` is wrong." "`detail` says which, and what is allowed. A cursor belongs to its list and `sort`.";
    400 "invalid_tenant" "The header `X-Tenant-Id` is no UUID." "Send the tenant's id, or leave the header out.";
    400 "invalid_idempotency_key" "The header `Idempotency-Key` is empty or too long." "Use 1 to 255 printable ASCII characters.";
    400 "invalid_last_event_id" "The header `Last-Event-ID` is no log position." "Send the `id` of an event that was received, or leave the header out.";
    400 "unknown_parameter" "The query or the JSON has a name that the route does not know." "`nearest` is the known name that is most like it; `known` lists them all.";
    400 "not_utf8" "The list should be UTF-8 and is not." "Save it as UTF-8, or declare its encoding (`text/csv; charset=windows-1252`); `line` says where the first fault is.";
    400 "wrong_encoding" "The list is not in the encoding that it declares or looks like, or nobody knows that encoding." "Save it as UTF-8; `line` says where the first fault is.";
    400 "not_a_list" "The list is a file of another kind, such as a PDF." "Save it as CSV, as plain text, or as an Excel workbook (.xlsx).";
    400 "invalid_workbook" "The workbook is broken, or larger than 128 MB when it is unpacked." "Save the sheet with the domains as CSV.";
    400 "invalid_csv" "The list cannot be cut into cells: a quote is missing or one too many." "Correct the quote that opens on `line`.";
    400 "column_name_too_long" "The name of a column has more than 1,000 bytes, or all names together have more than 100,000." "`detail` names the column; shorten its name.";
    400 "unknown_column" "The list has no column of the name or number that `column` asks for." "`detail` lists its columns.";
    400 "body_unreadable" "The body broke off." "Send the request again; with an `Idempotency-Key` nothing is done twice.";
    400 "ambiguous_request" "The request's head can be read in two ways." "Send one header `Host`, and `Content-Length` or `Transfer-Encoding`, not both.";
    401 "unauthorized" "No key or token was sent." "Send `Authorization: Bearer …`; `sitelog key create` makes a key.";
    401 "invalid_credentials" "The key or token is unknown, expired or revoked." "Make a new key, or get a new token.";
    403 "insufficient_scope" "The key or token does not allow this." "Use one with the scope that `scope` names.";
    403 "wrong_tenant" "`X-Tenant-Id` names another tenant than the key or token." "Leave the header out, or use a key of that tenant.";
    403 "foreign_page" "A browser was made to ask by a page that is not the service's own: with a session, something was to be changed from elsewhere; or access control is off, and a page of another origin asks, or the service was asked for by another name than `localhost` or an address." "Programs send a key or token, not the cookie of a session. Without access control ask for `localhost` or the address, or turn access control on.";
    403 "url_quota_reached" "As many URLs of sitemaps are kept for the tenant as its quota allows; nothing was requested." "Forget domains that are no longer needed, or have the quota raised.";
    404 "not_found" "There is no such thing, or it is another tenant's." "Check the id; a command's `position` as `?at_least=` waits for what was just written.";
    405 "method_not_allowed" "The path exists, but not with this method." "`/openapi.json` and `/docs` list what there is.";
    408 "request_timeout" "The body did not come in time." "Send it again, over a faster line or in smaller parts.";
    409 "cannot_cancel" "It has completed or failed, and cannot be called off any more." "Nothing: it has ended.";
    409 "cannot_retry" "It completed or has not ended, nothing failed, or the batch was cancelled." "Request a new scan or batch instead.";
    409 "conflict" "It does not fit the present state of the scan." "Look at the scan and decide anew.";
    413 "body_too_large" "The body is larger than 32 MB." "Split the list into several batches.";
    415 "unsupported_media_type" "The route does not take this `Content-Type`." "`detail` names what it takes.";
    422 "invalid_domain" "The text is not a domain." "Send a name with a top-level domain, or an URL; `input` is what was sent.";
    422 "invalid_field" "The JSON has another shape, or a value is out of range." "`detail` says what is expected; `/docs` shows an example.";
    422 "empty_batch" "The list has no domains." "Send at least one line.";
    422 "no_valid_domain" "None of the list's lines is a domain." "`rejected` says why, line by line.";
    422 "too_many_domains" "More than 100,000 domains, or more than the tenant's quota." "Split the list into several batches.";
    422 "too_many_columns" "The list has more than 1,000 columns." "Leave out what you do not need back.";
    422 "too_many_rows" "More than 1,048,575 rows, which is all that a sheet of a workbook takes." "Filter them, or take CSV or NDJSON.";
    422 "idempotency_key_reused" "The key belongs to another request." "Use a new key for a new request.";
    429 "too_many_requests" "The tenant's share of requests is spent, or so many of its reads are under way that this one would wait too long." "Repeat after `Retry-After` seconds; `RateLimit` tells what is left of the share.";
    429 "too_many_streams" "The tenant has as many event streams open as it may." "End some, or watch batches instead of each scan.";
    500 "internal" "A fault of the server; its log has the cause." "Tell who runs it, with the time of the request.";
    503 "unavailable" "The database does not answer or is full, a query or the request took too long, read models are being built, a workbook cannot be written, or `at_least` was not reached in time." "Repeat after `Retry-After` seconds, with the same `Idempotency-Key`; narrow by filters what took too long.";
    503 "overloaded" "There are more requests, event streams, workbooks or larger bodies than there is room for; nothing was done." "Repeat after `Retry-After` seconds.";
}

reasons! {
    InvalidDomain "The text is not a domain name." "no" "Correct the list and send it again.";
    NameNotResolved "DNS knows no address for the name, with or without `www.`." "only if DNS did not answer" "Check the spelling; the domain may have lapsed.";
    ConnectFailed "No TCP connection, or it broke before an answer." "yes" "Try again later: the site is down, or does not let us in.";
    TlsFailed "The TLS handshake failed, and plain http led nowhere." "only if the connection broke off" "Nothing on this side: the site's certificate or its TLS is at fault.";
    Timeout "Connect, first byte, body or the whole attempt took too long." "yes" "Retry the scan when the site is less busy.";
    ForbiddenAddress "The name or a redirect leads to an address that is not public, or to another port than 80 and 443." "no" "If it is your own network, allow it: `SITELOG_FETCH__ALLOW_PRIVATE`.";
    BlockedByRobots "A rule of the site's robots.txt forbids the home page." "no" "Respect it, or ask the site to let us in.";
    HttpStatus "robots.txt answered 429 or 5xx, or the home page anything but 2xx." "for 408, 425, 429 and 5xx" "`error` has the status; retry the scan if it may pass.";
    RedirectLimit "Too many redirects, one that leads back, or all requests of the scan were spent." "no" "Look where the site sends its visitors; scan that name instead.";
    TooLarge "Nothing usable within the size limit." "no" "Nothing: the site is not for us.";
    NotHtml "The home page is something else than HTML." "no" "Nothing, unless the site changes.";
    EmptyBody "The home page has no content." "no" "Retry the scan later.";
    RobotsUnavailable "robots.txt could not be read, in a way that has no code of its own." "no" "Retry the scan later.";
    Deadline "The time for the whole scan, all attempts counted, ran out." "no" "Retry the scan when the site is less busy.";
    ProtocolError "The answer breaks the rules of HTTP." "yes" "Nothing on this side: the site's server is at fault.";
    Abandoned "Workers that had taken the scan died again and again." "no" "Look into the server's log and its memory, then retry the scan.";
    Imported "It failed in the predecessor's time; `error` has its words." "no" "Request a new scan.";
    Internal "A fault of sitelog; the log of the process has the cause." "no" "Tell who runs the service, then retry the scan.";
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
