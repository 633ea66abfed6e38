//! Dates and times as ISO 8601 writes them.

/// Seconds of a day.
const DAY: i128 = 86_400;

/// What an integer says of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calendar {
    /// A date: so many days after 1970-01-01, of which each has so many units.
    Date(i64),
    /// A time of day in so many units a second.
    Time(i64),
    /// A moment in so many units a second after 1970-01-01 00:00, in UTC or in nobody's time zone.
    Timestamp(i64, Zone),
}

/// What time zone a moment is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// UTC.
    Utc,
    /// The one of whoever wrote it.
    Unknown,
}

impl Zone {
    /// UTC, or unknown.
    pub fn new(is_utc: bool) -> Self {
        if is_utc { Self::Utc } else { Self::Unknown }
    }
}

impl Calendar {
    /// What it is, for a message.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Date(_) => "a date",
            Self::Time(_) => "a time of day",
            Self::Timestamp(..) => "a timestamp",
        }
    }

    /// `value` as text, with every digit: `2024-02-29T12:00:00.5Z`.
    pub fn text(self, value: i64) -> String {
        match self {
            Self::Date(units) => date(i128::from(value.div_euclid(units))),
            Self::Time(units) => time(value.into(), units.into()),
            Self::Timestamp(units, zone) => {
                let day = DAY * i128::from(units);
                let (days, rest) = (i128::from(value).div_euclid(day), i128::from(value).rem_euclid(day));
                let zone = if zone == Zone::Utc { "Z" } else { "" };
                format!("{}T{}{zone}", date(days), time(rest, units.into()))
            }
        }
    }
}

/// The date so many `days` after 1970-01-01, by Hinnant's algorithm (2014): years begin in March,
/// so that a leap day ends one.
fn date(days: i128) -> String {
    /// Days of 400 years, after which the calendar repeats itself.
    const ERA: i128 = 146_097;
    /// Days from 0000-03-01 to 1970-01-01.
    const EPOCH: i128 = 719_468;
    let (era, day) = ((days + EPOCH).div_euclid(ERA), (days + EPOCH).rem_euclid(ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, is_next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    match year + era * 400 + is_next {
        year @ 0..=9999 => format!("{year:04}-{month:02}-{day:02}"),
        year => format!("{year:+05}-{month:02}-{day:02}"),
    }
}

/// The time of day after so many units, `units` a second.
fn time(value: i128, units: i128) -> String {
    let (seconds, fraction) = (value.div_euclid(units), value.rem_euclid(units));
    let text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 {
        return text;
    }
    let digits = units.ilog10() as usize;
    format!("{text}.{}", format!("{fraction:0digits$}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_with_every_digit() {
        use Zone::{Unknown, Utc};
        for (calendar, value, text) in [
            (Calendar::Date(1), 0, "1970-01-01"),
            (Calendar::Date(1), 19_782, "2024-02-29"),
            (Calendar::Date(1), 11_016, "2000-02-29"),
            (Calendar::Date(1), -1, "1969-12-31"),
            (Calendar::Date(1), -25_509, "1900-02-28"),
            (Calendar::Date(1), -25_508, "1900-03-01"),
            (Calendar::Date(1), -719_528, "0000-01-01"),
            (Calendar::Date(1), -719_529, "-0001-12-31"),
            (Calendar::Date(1), 2_932_897, "+10000-01-01"),
            (Calendar::Date(86_400_000), -1, "1969-12-31"),
            (Calendar::Time(1_000_000), 45_296_000_001, "12:34:56.000001"),
            (Calendar::Timestamp(1, Unknown), 1_709_208_000, "2024-02-29T12:00:00"),
            (Calendar::Timestamp(1000, Utc), -1, "1969-12-31T23:59:59.999Z"),
            (Calendar::Timestamp(1_000_000_000, Unknown), 1_500_000_000, "1970-01-01T00:00:01.5"),
            (Calendar::Timestamp(1_000_000_000, Utc), i64::MIN, "1677-09-21T00:12:43.145224192Z"),
        ] {
            assert_eq!(calendar.text(value), text, "{calendar:?} {value}");
        }
        // Any value of any unit has a text.
        for value in [i64::MIN, i64::MAX] {
            for calendar in [Calendar::Date(1), Calendar::Time(1), Calendar::Timestamp(1, Utc)] {
                assert!(!calendar.text(value).is_empty());
            }
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut before = date(-800_000);
        for day in -799_999..200_000 {
            let text = date(day);
            let parts = |text: &str| -> (String, u32, u32) {
                let mut parts = text.rsplitn(3, '-');
                let (day, month) = (parts.next().unwrap().parse().unwrap(), parts.next().unwrap().parse().unwrap());
                (parts.next().unwrap().into(), month, day)
            };
            let ((year, month, date), (last_year, last_month, last_date)) = (parts(&text), parts(&before));
            match (date, month) {
                (1, 1) => assert!((last_month, last_date) == (12, 31) && year != last_year, "{before} {text}"),
                (1, _) => assert!(month == last_month + 1 && last_date >= 28 && year == last_year, "{before} {text}"),
                _ => assert!(date == last_date + 1 && month == last_month && year == last_year, "{before} {text}"),
            }
            before = text;
        }
    }
}
