//! Time as a value: daylight saving, month ends, clocks that are set, and pauses.

use super::*;

const ID: Uuid = Uuid::from_u128(7);

fn schedule(rhythm: &str, zone: &str) -> Schedule {
    Schedule::new(rhythm.parse().unwrap(), zone.parse().unwrap(), ID)
}

/// The same without a place within the hour, so that times can be written down.
fn on_the_hour(rhythm: &str, zone: &str) -> Schedule {
    Schedule {
        spread: 0,
        ..schedule(rhythm, zone)
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Occurrences after a time, one after the other.
fn occurrences(schedule: &Schedule, after: &str, count: usize) -> Vec<String> {
    let mut next = at(after);
    let mut found = Vec::new();
    for _ in 0..count {
        next = schedule.next_after(next).unwrap();
        found.push(next.format("%m-%d %H:%M").to_string());
    }
    found
}

#[test]
fn words_and_cron_are_read_and_everything_else_is_refused_with_what_is_allowed() {
    for (text, usual) in [
        (" Hourly ", "hourly"),
        ("daily", "daily"),
        ("daily at 23", "daily at 23"),
        ("Weekly  on Monday", "weekly on monday"),
        ("weekly on sun at 0", "weekly on sun at 0"),
        ("monthly", "monthly"),
        ("monthly on 31 at 7", "monthly on 31 at 7"),
        ("30 6 * * 1-5", "30 6 * * 1-5"),
        ("0 0 L * *", "0 0 l * *"),
    ] {
        let rhythm: Rhythm = text.parse().unwrap();
        assert_eq!(rhythm.as_str(), usual);
        let stored = serde_json::to_string(&rhythm).unwrap();
        assert_eq!(
            serde_json::from_str::<Rhythm>(&stored).unwrap(),
            rhythm,
            "{stored}"
        );
    }
    for text in [
        "",
        "sometimes",
        "daily at 24",
        "hourly at 3",
        "weekly on moonday",
        "monthly on 32",
        "monthly on 0",
        "* * * *",
        "0 0 6 * * 1",
    ] {
        assert!(
            matches!(text.parse::<Rhythm>(), Err(InvalidRhythm::Unknown(_))),
            "{text}"
        );
    }
    assert!(matches!(
        "61 * * * *".parse::<Rhythm>(),
        Err(InvalidRhythm::Cron(..))
    ));
    for text in ["* * * * *", "0,2 4 * * 1", "59 23 * * *,0 0 * * *"] {
        let refused = text.parse::<Rhythm>().unwrap_err();
        assert!(
            matches!(refused, InvalidRhythm::TooOften(_) | InvalidRhythm::Unknown(_)),
            "{refused}"
        );
    }
    assert_eq!(
        "0 0 30 2 *".parse::<Rhythm>(),
        Err(InvalidRhythm::Never("0 0 30 2 *".to_owned()))
    );
    assert!("*/5 * * * *".parse::<Rhythm>().is_ok());
}

#[test]
fn a_zone_is_one_of_the_database_and_a_misspelt_one_is_told_the_nearest() {
    assert_eq!("Europe/Berlin".parse::<Zone>().unwrap().name(), "Europe/Berlin");
    let refused = "Europe/Berln".parse::<Zone>().unwrap_err().to_string();
    assert!(refused.contains("did you mean 'Europe/Berlin'?"), "{refused}");
}

#[test]
fn a_daily_run_keeps_its_local_time_when_clocks_change() {
    // Berlin goes to summer time on 29 March 2026, New York on 8 March.
    let berlin = on_the_hour("daily at 6", "Europe/Berlin");
    assert_eq!(
        occurrences(&berlin, "2026-03-27T12:00:00Z", 3),
        ["03-28 05:00", "03-29 04:00", "03-30 04:00"]
    );
    assert_eq!(
        occurrences(&berlin, "2026-10-23T12:00:00Z", 3),
        ["10-24 04:00", "10-25 05:00", "10-26 05:00"]
    );
    let new_york = on_the_hour("daily at 6", "America/New_York");
    assert_eq!(
        occurrences(&new_york, "2026-03-06T12:00:00Z", 3),
        ["03-07 11:00", "03-08 10:00", "03-09 10:00"]
    );
}

#[test]
fn an_hour_that_is_left_out_is_made_up_and_one_that_comes_twice_runs_once() {
    // 02:00 to 03:00 does not exist in Berlin on 29 March 2026, and comes twice on 25 October.
    for rhythm in ["daily at 2", "0 2 * * *"] {
        let berlin = on_the_hour(rhythm, "Europe/Berlin");
        assert_eq!(
            occurrences(&berlin, "2026-03-28T00:00:00Z", 3),
            ["03-28 01:00", "03-29 01:00", "03-30 00:00"],
            "{rhythm}"
        );
        assert_eq!(
            occurrences(&berlin, "2026-10-24T12:00:00Z", 2),
            ["10-25 00:00", "10-26 01:00"],
            "{rhythm}"
        );
    }
    let new_york = on_the_hour("daily at 2", "America/New_York");
    assert_eq!(
        occurrences(&new_york, "2026-03-07T12:00:00Z", 2),
        ["03-08 07:00", "03-09 06:00"]
    );
    // Where a place within the hour is kept, it is kept then too.
    let spread = schedule("daily at 2", "Europe/Berlin");
    let usual = spread.next_after(at("2026-03-27T12:00:00Z")).unwrap();
    let shifted = spread.next_after(at("2026-03-28T12:00:00Z")).unwrap();
    assert_eq!(shifted - usual, TimeDelta::days(1));
}

#[test]
fn an_hourly_run_comes_each_hour_whatever_clocks_do() {
    for zone in ["Europe/Berlin", "America/New_York", "Asia/Kathmandu"] {
        let hourly = schedule("hourly", zone);
        let mut before = hourly.next_after(at("2026-10-24T20:00:00Z")).unwrap();
        for _ in 0..12 {
            let next = hourly.next_after(before).unwrap();
            assert_eq!(next - before, TimeDelta::hours(1), "{zone}");
            before = next;
        }
    }
    let cron = on_the_hour("0 * * * *", "Europe/Berlin");
    assert_eq!(
        occurrences(&cron, "2026-10-24T23:30:00Z", 4),
        ["10-25 00:00", "10-25 01:00", "10-25 02:00", "10-25 03:00"]
    );
}

#[test]
fn a_month_without_the_day_has_its_last_one_and_cron_means_what_it_says() {
    let last = on_the_hour("monthly on 31 at 0", "UTC");
    assert_eq!(
        occurrences(&last, "2027-12-31T12:00:00Z", 4),
        ["01-31 00:00", "02-29 00:00", "03-31 00:00", "04-30 00:00"]
    );
    let cron = on_the_hour("0 0 31 * *", "UTC");
    assert_eq!(
        occurrences(&cron, "2027-12-31T12:00:00Z", 3),
        ["01-31 00:00", "03-31 00:00", "05-31 00:00"]
    );
    let first = on_the_hour("monthly", "Europe/Berlin");
    assert_eq!(
        occurrences(&first, "2026-09-15T00:00:00Z", 3),
        ["10-01 01:00", "11-01 02:00", "12-01 02:00"]
    );
    let weekly = on_the_hour("weekly on monday at 6", "Europe/Berlin");
    assert_eq!(
        occurrences(&weekly, "2026-11-29T00:00:00Z", 2),
        ["11-30 05:00", "12-07 05:00"]
    );
}

#[test]
fn thousands_are_spread_over_their_hour_each_always_at_its_place() {
    let rhythm: Rhythm = "daily at 6".parse().unwrap();
    let after = at("2026-11-29T00:00:00Z");
    let next = |n: u128| Schedule::new(rhythm.clone(), Zone::UTC, Uuid::from_u128(n)).next_after(after);
    let mut minutes = [0_usize; 60];
    for n in 0..6000 {
        let time = next(n).unwrap();
        assert_eq!(time, next(n).unwrap());
        let into = time - at("2026-11-29T06:00:00Z");
        minutes[usize::try_from(into.num_minutes()).unwrap()] += 1;
    }
    assert!(
        minutes.iter().all(|count| (50..200).contains(count)),
        "{minutes:?}"
    );
    // An expression of cron says when; so that is when.
    let exact = schedule("30 6 * * *", "UTC");
    assert_eq!(exact.next_after(after), Some(at("2026-11-29T06:30:00Z")));
}

#[test]
fn a_run_is_due_when_its_time_has_come_and_not_before() {
    let daily = on_the_hour("daily at 6", "UTC");
    let last = at("2026-11-28T06:00:00Z");
    let early = daily.check(last, None, at("2026-11-29T05:59:59Z"));
    assert_eq!(
        early,
        DueCheck {
            due: None,
            missed: 0,
            next: Some(at("2026-11-29T06:00:00Z"))
        }
    );
    let due = daily.check(last, None, at("2026-11-29T06:00:00Z"));
    assert_eq!(
        due,
        DueCheck {
            due: Some(at("2026-11-29T06:00:00Z")),
            missed: 0,
            next: Some(at("2026-11-30T06:00:00Z"))
        }
    );
}

#[test]
fn a_week_of_downtime_makes_up_one_run() {
    let (last, now) = (at("2026-11-22T10:00:00Z"), at("2026-11-29T10:20:00Z"));
    for (rhythm, due, missed) in [
        ("hourly", "2026-11-29T10:00:00Z", 167),
        ("daily at 6", "2026-11-29T06:00:00Z", 6),
        ("weekly on monday at 6", "2026-11-23T06:00:00Z", 0),
        ("*/5 * * * *", "2026-11-29T10:20:00Z", MAX_MISSED),
    ] {
        let schedule = on_the_hour(rhythm, "UTC");
        let check = schedule.check(last, None, now);
        assert_eq!((check.due, check.missed), (Some(at(due)), missed), "{rhythm}");
        let again = schedule.check(at(due), check.next, now);
        assert_eq!(again.due, None, "{rhythm}: one, not all");
        assert!(again.next > Some(now), "{rhythm}");
    }
    let monthly = on_the_hour("monthly", "UTC");
    assert_eq!(monthly.check(last, None, now).due, None);
    // Years too, and quickly.
    let long = on_the_hour("*/5 * * * *", "UTC").check(at("2016-01-01T00:00:00Z"), None, now);
    assert_eq!(
        (long.due, long.missed),
        (Some(at("2026-11-29T10:20:00Z")), MAX_MISSED)
    );
}

#[test]
fn a_time_that_was_written_under_a_wrong_clock_stops_nothing() {
    let hourly = on_the_hour("hourly", "UTC");
    let now = at("2026-11-29T10:20:00Z");
    let next = Some(at("2026-11-29T11:00:00Z"));
    // A plan of another time counts only if it is earlier than what the rhythm says.
    let planned = Some(at("2036-01-01T00:00:00Z"));
    let right = hourly.check(at("2026-11-29T10:00:00Z"), planned, now);
    assert_eq!((right.due, right.next), (None, next));
    let last = at("2036-01-01T00:00:00Z");
    let ahead = hourly.check(last, planned, now);
    assert_eq!((ahead.due, ahead.next), (None, next));
    // What was planned then is done when its time comes, although the last one is still to come.
    let come = hourly.check(last, ahead.next, at("2026-11-29T11:00:03Z"));
    assert_eq!((come.due, come.next), (next, Some(at("2026-11-29T12:00:00Z"))));
}

#[test]
fn a_clock_that_is_set_back_and_forward_leaves_the_rhythm_as_it_is() {
    let daily = on_the_hour("daily at 6", "UTC");
    let mut last = at("2026-11-26T06:00:00Z");
    let mut planned = daily.next_after(last);
    let mut ran = Vec::new();
    for now in [
        "2026-11-27T06:00:10Z",
        // Back by a day, then right again.
        "2026-11-26T06:30:00Z",
        "2026-11-27T08:00:00Z",
        "2026-11-28T06:01:00Z",
        // Ahead by a year, then right again.
        "2027-11-28T06:00:00Z",
        "2026-11-28T07:00:00Z",
        "2026-11-29T06:00:05Z",
    ] {
        let check = daily.check(last, planned, at(now));
        planned = check.next;
        if let Some(due) = check.due {
            last = due;
            ran.push(due.format("%Y-%m-%d").to_string());
        }
    }
    assert_eq!(
        ran,
        ["2026-11-27", "2026-11-28", "2027-11-28", "2026-11-29"],
        "each day once, and the day of the wrong clock"
    );
}

#[test]
fn an_invalid_cron_expression_is_explained_by_its_field() {
    let refused = |text: &str| text.parse::<Rhythm>().unwrap_err().to_string();
    let minute = refused("99 6 * * 1-5");
    assert!(
        minute.ends_with(": the minute 99 is out of range (0 to 59)"),
        "{minute}"
    );
    assert!(refused("0 6 * * mon-xyz").contains("a step (*/10)"));
}
