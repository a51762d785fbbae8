//! Why a command on a scan was refused.

use super::status::ScanStatus;

/// A refusal; nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// There is no such scan.
    #[error("there is no such scan")]
    NotFound,
    /// The id belongs to a scan of another domain.
    #[error("the ID belongs to a scan of {0}")]
    IdTaken(String),
    /// The worker's lease or attempt is no longer the current one.
    #[error("attempt {0} is no longer the current one")]
    Superseded(u32),
    /// There is nothing left to do.
    #[error("the scan has ended as {0}")]
    Ended(ScanStatus),
    /// It is too late to cancel it.
    #[error("the scan has {0} and cannot be cancelled")]
    CannotCancel(ScanStatus),
    /// Only a failed or cancelled scan can be retried.
    #[error("the scan is {0}; only a failed or cancelled scan can be retried")]
    CannotRetry(ScanStatus),
}
