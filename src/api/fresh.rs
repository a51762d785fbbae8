//! `max_age_days`: reuses recent scans instead of scanning again.

use chrono::TimeDelta;

use super::problem::{Problem, ProblemCode};

/// A hundred years.
const MAX_DAYS: f64 = 36_500.0;

/// How old a scan may be, by the database's clock; nothing where no age is given, or 0.
pub(super) fn age(max_age_days: Option<f64>) -> Result<Option<TimeDelta>, Problem> {
    let Some(days) = max_age_days.filter(|days| *days != 0.0) else {
        return Ok(None);
    };
    if !(0.0..=MAX_DAYS).contains(&days) {
        let detail = format!("max_age_days is {days}; it must be a number from 0 to {MAX_DAYS}.");
        return Err(Problem::of(ProblemCode::InvalidField, detail));
    }
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a hundred years")]
    Ok(Some(TimeDelta::milliseconds((days * 86_400_000.0) as i64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_in_days_and_their_parts() {
        let hours = |days: f64| age(Some(days)).unwrap().unwrap().num_hours();
        assert_eq!((hours(1.0), hours(0.5), hours(30.0)), (24, 12, 720));
        assert!(age(None).unwrap().is_none() && age(Some(0.0)).unwrap().is_none());
        for bad in [-1.0, f64::NAN, f64::INFINITY, 40_000.0] {
            assert_eq!(
                age(Some(bad)).unwrap_err().code,
                ProblemCode::InvalidField,
                "{bad}"
            );
        }
    }
}
