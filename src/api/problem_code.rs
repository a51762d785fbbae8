//! The codes of the API's errors: each with its status, what it means and what to do. The API returns only these codes, and
//! the documentation has a page for each.

use std::fmt;

use axum::http::StatusCode;
use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($name:ident $status:literal $code:literal $title:literal $meaning:literal $remedy:literal;)+) => {
        /// A stable code of an error. Codes are never renamed; new ones may be added.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ProblemCode { $(#[doc = $meaning] $name,)+ }

        impl ProblemCode {
            /// All codes, ordered by status.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The code as the API returns it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// Its HTTP status.
            pub fn status(self) -> StatusCode {
                let status: u16 = match self { $(Self::$name => $status,)+ };
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }

            /// The kind of error, as text.
            pub(in crate::api) fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// What the error means.
            pub(in crate::api) fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)+ }
            }

            /// The next step.
            pub(in crate::api) fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)+ }
            }
        }
    };
}

codes! {
    InvalidJson 400 "invalid_json" "Invalid request" "The body is not JSON." "Correct the JSON at the position given in `line` and `column`.";
    InvalidQuery 400 "invalid_query" "Invalid request" "A parameter is invalid, for example `limit` or `cursor`." "`detail` says which, and what is allowed. A cursor is valid only for the list and `sort` it came from.";
    InvalidTenant 400 "invalid_tenant" "Invalid request" "The header `X-Tenant-Id` is not a UUID." "Send the tenant's ID, or omit the header.";
    InvalidIdempotencyKey 400 "invalid_idempotency_key" "Invalid request" "The header `Idempotency-Key` is empty or too long." "Use 1 to 255 printable ASCII characters.";
    InvalidLastEventId 400 "invalid_last_event_id" "Invalid request" "The header `Last-Event-ID` is not a log position." "Send the `id` of an event that you received, or omit the header.";
    UnknownParameter 400 "unknown_parameter" "Invalid request" "The query or the JSON contains a name that the route does not know." "`nearest` is the known name that you probably meant, if one is similar; `known` lists all known names.";
    NotUtf8 400 "not_utf8" "Invalid request" "The list is not valid UTF-8." "Save it as UTF-8, or declare its encoding (`text/csv; charset=windows-1252`); `line` is the first invalid line.";
    WrongEncoding 400 "wrong_encoding" "Invalid request" "The list does not match its declared or detected encoding, or the declared encoding is unknown." "Save it as UTF-8; `line` is the first invalid line.";
    NotAList 400 "not_a_list" "Invalid request" "The list is a file of another type, such as a PDF." "Save it as CSV, as plain text, or as an Excel file (.xlsx).";
    InvalidWorkbook 400 "invalid_workbook" "Invalid request" "The Excel file is damaged, or larger than 128 MB when unpacked." "Save the sheet with the domains as CSV.";
    InvalidCsv 400 "invalid_csv" "Invalid request" "The list is not valid CSV: a quote is missing or there is one too many." "Correct the quote on the line given in `line`.";
    ColumnNameTooLong 400 "column_name_too_long" "Invalid request" "The name of a column has more than 1,000 bytes, or all names together have more than 100,000." "`detail` names the column; shorten its name.";
    UnknownColumn 400 "unknown_column" "Invalid request" "The list has no column with the name or number given in `column`." "`detail` lists its columns.";
    BodyUnreadable 400 "body_unreadable" "Invalid request" "The request body is incomplete." "Send the request again. If it has an `Idempotency-Key`, nothing is done twice.";
    AmbiguousRequest 400 "ambiguous_request" "Invalid request" "The request's headers are ambiguous." "Send exactly one `Host` header, and either `Content-Length` or `Transfer-Encoding`, but not both.";
    InvalidForm 400 "invalid_form" "Invalid request" "A form of a page cannot be read." "Open the page again and send the form again.";
    Unauthorized 401 "unauthorized" "Authentication required" "No key or token was sent." "Send `Authorization: Bearer …`; `sitelog key create` creates a key.";
    InvalidCredentials 401 "invalid_credentials" "Authentication required" "The key or token is unknown, expired or revoked, or the header `Authorization` uses a scheme other than `Bearer`." "Create a new key or get a new token, and send it as `Authorization: Bearer …`. Basic authentication is not supported.";
    InsufficientScope 403 "insufficient_scope" "Forbidden" "The key or token does not allow this." "Use a key or token with the scope given in `scope`.";
    WrongTenant 403 "wrong_tenant" "Forbidden" "`X-Tenant-Id` names a tenant other than the one the key or token belongs to." "Omit the header, or use a key of that tenant.";
    ForeignPage 403 "foreign_page" "Forbidden" "A browser sent the request from a web page that is not one of sitelog's own pages. Or access control is off, and the URL of the request has a host other than `localhost` or an IP address." "Use sitelog's own pages in the browser; programs must send a key or token, not a session cookie. If access control is off, use `localhost` or the IP address in the URL, or turn access control on.";
    UrlQuotaReached 403 "url_quota_reached" "Forbidden" "The tenant has reached its quota of stored URLs of sitemaps; no scan was started." "Erase domains that are no longer needed, or ask the operator for a higher quota.";
    NotFound 404 "not_found" "Not found" "The resource does not exist, or it belongs to another tenant." "Check the ID. If you have just created the resource, pass the `position` of that response as `?at_least=`.";
    MethodNotAllowed 405 "method_not_allowed" "Method not allowed" "The path does not support this method." "`/openapi.json` and `/docs` list all routes.";
    RequestTimeout 408 "request_timeout" "Request timeout" "The request body did not arrive in time." "Send it again, over a faster connection or in smaller parts.";
    CannotCancel 409 "cannot_cancel" "Conflict" "The scan or batch has ended, so it cannot be cancelled." "Nothing to do: it has already ended.";
    CannotRetry 409 "cannot_retry" "Conflict" "The scan or batch has completed or has not ended yet, nothing failed, or the batch was cancelled." "Request a new scan or batch instead.";
    Conflict 409 "conflict" "Conflict" "The request conflicts with the current state of the scan." "Read the scan's current state and try again.";
    MonitorCannotRun 409 "monitor_cannot_run" "Conflict" "The monitor cannot run now: the batch of the previous run has not ended, its filter matches no domain, or a quota is reached." "`reason` says which. Wait for the batch or cancel it, or change the monitor.";
    NoMailServer 409 "no_mail_server" "Conflict" "Email is not configured on the server." "Ask the operator to set `SITELOG_MAIL__SMTP_URL`, or use the feed or a webhook.";
    WebhookDisabled 409 "webhook_disabled" "Conflict" "The webhook is disabled, so nothing is sent to it." "Enable it first: `POST /api/v4/webhooks/{id}/enable`.";
    BodyTooLarge 413 "body_too_large" "Request body too large" "The request body is larger than 32 MB." "Split the list into several batches.";
    UnsupportedMediaType 415 "unsupported_media_type" "Unsupported media type" "The route does not accept this `Content-Type`." "`detail` lists the accepted types.";
    InvalidDomain 422 "invalid_domain" "Unprocessable Content" "The text is not a domain." "Send a name with a top-level domain, or a URL; `input` is what you sent.";
    InvalidField 422 "invalid_field" "Unprocessable Content" "The JSON does not match the schema, or a value is out of range." "`detail` says what is expected; `/docs` shows an example.";
    EmptyBatch 422 "empty_batch" "Unprocessable Content" "The list has no domains." "Send at least one line.";
    NoValidDomain 422 "no_valid_domain" "Unprocessable Content" "No line of the list contains a valid domain." "`rejected` gives the reason for each line.";
    TooManyDomains 422 "too_many_domains" "Unprocessable Content" "More than 100,000 domains, or more than the tenant's quota." "Split the list into several batches.";
    TooManyColumns 422 "too_many_columns" "Unprocessable Content" "The list has more than 1,000 columns." "Remove columns that you do not need.";
    TooManyRows 422 "too_many_rows" "Unprocessable Content" "More than 1,048,575 rows, the maximum of an Excel sheet." "Filter the rows, or export CSV or NDJSON.";
    TooManyMonitors 422 "too_many_monitors" "Unprocessable Content" "The tenant already has the maximum of 10,000 monitors." "Delete one that is no longer needed, or put several domains into one monitor.";
    TooManyLinks 422 "too_many_links" "Unprocessable Content" "The tenant already has the maximum of 1,000 links to exports." "Revoke one that is no longer needed.";
    TooManySubscribers 422 "too_many_subscribers" "Unprocessable Content" "The monitor already has the maximum of 20 subscribers." "Remove one, or subscribe a mailing list.";
    TooManyWebhooks 422 "too_many_webhooks" "Unprocessable Content" "The tenant already has the maximum of 100 webhooks." "Delete one that is no longer needed.";
    IdempotencyKeyReused 422 "idempotency_key_reused" "Unprocessable Content" "The idempotency key belongs to another request." "Use a new key for a new request.";
    TooManyRequests 429 "too_many_requests" "Too many requests" "The tenant has reached its rate limit, or it has so many concurrent reads that this one would wait too long." "Try again after `Retry-After` seconds; `RateLimit` shows the remaining requests.";
    TooManyStreams 429 "too_many_streams" "Too many event streams" "The tenant has reached the maximum number of open event streams." "Close some streams, or watch a batch instead of each of its scans.";
    Internal 500 "internal" "Internal error" "An internal error of the server; its log has the cause." "Contact the operator and give the time of the request.";
    Unavailable 503 "unavailable" "Service unavailable" "The database does not respond or is full, a query or the request took too long, read models are being built, an Excel file cannot be written, or `at_least` was not reached in time." "Try again after `Retry-After` seconds, with the same `Idempotency-Key`. If a query took too long, use filters. If `at_least` was not reached, check that it is a `position` that this server returned.";
    Overloaded 503 "overloaded" "The service is overloaded" "The server has too many concurrent requests, event streams, Excel files or large request bodies; nothing was done." "Try again after `Retry-After` seconds.";
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ProblemCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_there_once_by_status() {
        let mut seen = std::collections::HashSet::new();
        assert!(ProblemCode::ALL.iter().all(|code| seen.insert(code.as_str())));
        assert!(ProblemCode::ALL.is_sorted_by_key(|code| code.status()));
        assert!(ProblemCode::ALL.iter().all(|code| code.status().as_u16() >= 400));
    }

    #[test]
    fn the_table_in_the_documentation_has_each_code() {
        let rows: Vec<&str> = include_str!("../../docs/api.md").lines().collect();
        for code in ProblemCode::ALL {
            let (status, quoted) = (code.status().as_u16(), format!("`{code}`"));
            let start = format!("| {status} | ");
            let is_listed = |row: &&str| row.starts_with(&start) && row.contains(&quoted);
            assert_eq!(
                rows.iter().filter(|row| is_listed(row)).count(),
                1,
                "{status} {code}"
            );
        }
    }
}
