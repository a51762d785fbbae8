//! The pause of log followers between two pages.

use std::time::Duration;

/// A page took this share of the time of a follower that is under load: what it pays per page, it pays less often.
const SHARE: u32 = 5;

/// The pause after a page that was not full. It grows with the time that the page took: on a busy machine a page is
/// expensive, and what comes during a longer pause makes one page instead of many.
#[derive(Clone, Copy, Debug)]
pub struct BatchDelay {
    /// The pause while pages take no time.
    pub least: Duration,
    /// The longest pause.
    pub most: Duration,
}

impl BatchDelay {
    /// The pause after a page that took this long.
    pub fn after(&self, page: Duration) -> Duration {
        (page * (SHARE - 1)).clamp(self.least, self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_took_long_is_followed_by_a_longer_pause_within_bounds() {
        let gather = BatchDelay {
            least: Duration::from_millis(40),
            most: Duration::from_millis(250),
        };
        assert_eq!(gather.after(Duration::from_millis(1)), gather.least);
        assert_eq!(gather.after(Duration::from_millis(20)), Duration::from_millis(80));
        assert_eq!(gather.after(Duration::from_secs(2)), gather.most);
    }
}
