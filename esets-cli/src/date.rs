//! A moment as the reports print it: in UTC, as the C locale's date(1) does.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `Sun 01 Jul 2018 08:52:59 AM UTC`.
pub(crate) fn long(moment: SystemTime) -> String {
    let seconds = moment.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let days = seconds / DAY;
    let (year, month, day) = civil(days);
    let weekday = WEEKDAYS.get(place(days % 7)).unwrap_or(&"???");
    let month = MONTHS.get(place(month)).unwrap_or(&"???");
    let (hour, minute, second) = (seconds % DAY / 3600, seconds % 3600 / 60, seconds % 60);
    let half = if hour < 12 { "AM" } else { "PM" };
    let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
    format!("{weekday} {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} {half} UTC")
}

/// `62 sec (0:01:02)`.
pub(crate) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{seconds} sec ({}:{:02}:{:02})", seconds / 3600, seconds % 3600 / 60, seconds % 60)
}

/// Year, month from 0 and day from 1 of a number of days since 1970-01-01 in the Gregorian
/// calendar. A year begins in March here, so that the leap day is its last.
#[expect(clippy::arithmetic_side_effects, reason = "a u64 of seconds is fewer than 2^48 days")]
fn civil(days: u64) -> (u64, u64, u64) {
    let day = days + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let first = (153 * month + 2) / 5;
    let year = era * 400 + year + u64::from(month >= 10);
    ((year), (month + 2) % 12, day - first + 1)
}

fn place(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

const DAY: u64 = 86_400;
/// From the weekday of 1970-01-01.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        let at = |seconds| long(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "Thu 01 Jan 1970 12:00:00 AM UTC");
        assert_eq!(at(951_868_799), "Tue 29 Feb 2000 11:59:59 PM UTC");
        assert_eq!(at(1_530_435_179), "Sun 01 Jul 2018 08:52:59 AM UTC");
        assert_eq!(at(4_107_542_400), "Mon 01 Mar 2100 12:00:00 AM UTC");
        assert_eq!(span(Duration::from_secs(3662)), "3662 sec (1:01:02)");
    }
}
