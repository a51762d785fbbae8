//! The reasons why a scan failed, as text.

use crate::values::FailureReason;

/// Why a scan may have failed.
pub(in crate::api) struct Reason {
    /// Stable.
    pub(in crate::api) reason: FailureReason,
    /// The cause.
    pub(in crate::api) meaning: &'static str,
    /// Whether another attempt follows automatically.
    pub(in crate::api) again: &'static str,
    /// The next step.
    pub(in crate::api) remedy: &'static str,
}

macro_rules! reasons {
    ($($reason:ident $meaning:literal $again:literal $remedy:literal;)+) => {
        /// All of them.
        pub(in crate::api) const REASONS: &[Reason] = &[$(Reason { reason: FailureReason::$reason, meaning: $meaning, again: $again, remedy: $remedy },)+];
    };
}

reasons! {
    InvalidDomain "The text is not a domain name." "no" "Correct the list and send it again.";
    NameNotResolved "DNS has no address for the name, with or without a leading `www`." "only if DNS did not answer" "Check the spelling; the domain may have expired.";
    ConnectFailed "The TCP connection failed, or it was closed before a response." "yes" "Try again later: the site is down, or it blocks sitelog.";
    TlsFailed "The TLS handshake failed, and plain HTTP did not work either." "only if the connection was closed" "Nothing to do: the site's certificate or TLS settings are faulty.";
    Timeout "Connecting, the first byte, the body or the whole attempt took too long." "yes" "Retry the scan when the site is less busy.";
    ForbiddenAddress "The name or a redirect leads to an address that is not public, or to a port other than 80 and 443." "no" "If it is your own network, allow it with `SITELOG_FETCH__ALLOW_PRIVATE`.";
    BlockedByRobots "A rule of the site's robots.txt disallows the home page." "no" "Respect the rule, or ask the site's owner for access.";
    HttpStatus "robots.txt returned status 429 or 5xx, or the home page a status other than 2xx." "for 408, 425, 429 and 5xx" "`error` contains the status; retry the scan if the cause may be temporary.";
    RedirectLimit "Too many redirects, a redirect loop, or the scan's budget of requests was used up." "no" "Check where the site redirects to, and scan that domain instead.";
    TooLarge "The site has no usable content within the size limit." "no" "Nothing to do: the site exceeds the size limit.";
    NotHtml "The home page is not HTML." "no" "Nothing to do, unless the site changes.";
    EmptyBody "The home page has no content." "no" "Retry the scan later.";
    RobotsUnavailable "Reserved: robots.txt could not be read, for a reason that has no code of its own. Not used at present." "no" "Retry the scan later.";
    Deadline "The time limit of the whole scan, over all attempts, was reached." "no" "Retry the scan when the site is less busy.";
    ProtocolError "The response is not valid HTTP." "yes" "Nothing to do: the site's server is faulty.";
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
}
