//! Takes passwords out of texts, wherever a URI or what a driver says of one may bring them.
//!
//! A URI is taken apart here without its driver, because it is the broken ones that are told about. What counts as secret: all between
//! the first `:` and the last `@` of the authority; without an `@`, what stands where a port should; the values of some options.
//! When in doubt too much is hidden.

use std::ops::Range;

/// Options of a MongoDB URI whose values are secret, in small letters.
const OPTIONS: [&str; 4] = [
    "tlscertificatekeyfilepassword=",
    "proxypassword=",
    "authmechanismproperties=",
    "sslclientcertificatekeypassword=",
];
/// The environment variable that a URI may come from.
pub const URI_VARIABLE: &str = "MONGODB_URI";
/// Shorter secrets are hidden in their URI alone: anywhere else they would be parts of other words.
const SHORTEST: usize = 3;

/// Replaces the password of every `scheme://user:password@host` in `text`, and what else of a MongoDB URI is secret, by `***`.
///
/// ```
/// use initsweep::provenance::without_password;
/// assert_eq!(without_password("mongodb://ann:s3cret@db/x"), "mongodb://ann:***@db/x");
/// ```
pub fn without_password(text: &str) -> String {
    let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
    for secret in secrets_in(text, char::is_whitespace) {
        shown.extend([&text[at..secret.start], "***"]);
        at = secret.end;
    }
    shown + &text[at..]
}

/// The same for what is a URI from its beginning to its end, blanks included, and nothing else.
pub fn uri_without_password(uri: &str) -> String {
    without_password(&without_secrets_of(uri, uri))
}

/// `text` without what is secret in `uri`, wherever it stands, and without other passwords.
pub fn without_secrets_of(uri: &str, text: &str) -> String {
    let mut text = text.to_string();
    for secret in secrets_in(uri, |_| false).into_iter().map(|place| &uri[place]) {
        // A property such as AWS_SESSION_TOKEN:x may be told without its name.
        let parts = secret.split([',', ':']).filter(|part| *part != secret);
        for secret in std::iter::once(secret).chain(parts) {
            for secret in [secret, &decoded(secret)] {
                if secret.len() >= SHORTEST {
                    text = text.replace(secret, "***");
                }
            }
        }
    }
    without_password(&text)
}

/// `text` without what is secret in the arguments of this process and in its environment, and without other passwords.
pub fn without_secrets(text: &str) -> String {
    let arguments = std::env::args_os().skip(1).chain(std::env::var_os(URI_VARIABLE));
    let mentioned = arguments.filter(|argument| argument.to_string_lossy().contains("mongodb"));
    without_password(&mentioned.fold(text.to_string(), |text, uri| without_secrets_of(&uri.to_string_lossy(), &text)))
}

/// Where secrets are in `text`, in order and apart; `ends_uri` says what no URI holds.
fn secrets_in(text: &str, ends_uri: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find(":/").map(|at| from + at) {
        let is_mongodb = text[..at].ends_with("mongodb") || text[..at].ends_with("mongodb+srv");
        let slashes = text[at + 1..].bytes().take_while(|byte| *byte == b'/').count();
        let start = at + 1 + slashes;
        let end = text[start..].find(&ends_uri).map_or(text.len(), |end| start + end);
        if (slashes >= 2 || is_mongodb)
            && let Some(secret) = secret_of_authority(&text[start..end], is_mongodb)
        {
            found.push(start + secret.start..start + secret.end);
        }
        from = found.last().map_or(start, |secret| secret.end.max(start));
    }
    let small = text.to_ascii_lowercase();
    for option in OPTIONS {
        for (at, _) in small.match_indices(option) {
            let start = at + option.len();
            let value = text[start..].find(|c| c == '&' || c == '\'' || ends_uri(c));
            found.push(start..value.map_or(text.len(), |end| start + end));
        }
    }
    found.retain(|secret| !secret.is_empty());
    found.sort_by_key(|secret| secret.start);
    found.dedup_by(|next, before| {
        let overlaps = next.start <= before.end;
        if overlaps {
            before.end = before.end.max(next.end);
        }
        overlaps
    });
    found
}

/// The secret part of what follows the scheme of a URI.
fn secret_of_authority(rest: &str, is_mongodb: bool) -> Option<Range<usize>> {
    if let Some(end) = rest.rfind('@') {
        // A password may hold anything, even an unescaped '/': the last '@' ends it.
        return rest[..end].find(':').map(|colon| colon + 1..end);
    }
    let authority = &rest[..rest.find(['/', '?']).unwrap_or(rest.len())];
    let colon = authority.rfind(']').unwrap_or(0) + authority[authority.rfind(']').unwrap_or(0)..].find(':')?;
    let quoting = ['\'', '"', '`', ':', ';', ',', '.', ')'];
    let is_port =
        |host: &str| host.rsplit_once(':').is_none_or(|(_, port)| port.is_empty() || port.parse::<u16>().is_ok());
    let is_plain = authority.trim_end_matches(quoting).split(',').all(is_port);
    (is_mongodb && !is_plain).then(|| colon + 1..rest.trim_end_matches(quoting).len())
}

/// `text` with its percent signs resolved.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_never_show() {
        for (text, shown) in [
            ("mongodb+srv://u:p@h/db?x=1", "mongodb+srv://u:***@h/db?x=1"),
            ("mongodb://u:p/w@d@h", "mongodb://u:***@h"),
            ("mongodb://u:p#w@h", "mongodb://u:***@h"),
            ("mongodb:/u:p@h", "mongodb:/u:***@h"),
            ("mongodb:///u:p@h", "mongodb:///u:***@h"),
            ("'mongodb://u:s3cr3t' and more", "'mongodb://u:***' and more"),
            ("mongodb://u:s3c/r3t", "mongodb://u:***"),
            ("mongodb://u:99999", "mongodb://u:***"),
            ("mongodb://h:27017,u:s3cr3t", "mongodb://h:***"),
            (
                "mongodb://h/?a=1&tlsCertificateKeyFilePassword=s3&b=2",
                "mongodb://h/?a=1&tlsCertificateKeyFilePassword=***&b=2",
            ),
            ("mongodb://h/?proxypassword=s3'", "mongodb://h/?proxypassword=***'"),
            ("mongodb://h/?authMechanismProperties=A:s3,B:s4", "mongodb://h/?authMechanismProperties=***"),
            ("a://u:p@h b://v:q@i", "a://u:***@h b://v:***@i"),
        ] {
            assert_eq!(without_password(text), shown);
        }
    }

    #[test]
    fn what_is_not_secret_stays() {
        for text in [
            "mongodb://u@h",
            "mongodb://h:27017/",
            "mongodb://a:1,b:2/x?y=z",
            "mongodb://[::1]:27017/db.c: no documents",
            "mongodb://h:27017: gone",
            "'mongodb://h:27017'",
            "http://h:x/",
            "C:/a:b",
            "plain",
            "a:/b",
        ] {
            assert_eq!(without_password(text), text);
        }
    }

    #[test]
    fn what_a_driver_repeats_is_hidden_too() {
        let uri = "mongodb://ann:s3%20cr t@h/?authMechanismProperties=AWS_SESSION_TOKEN:t0ken";
        for text in ["invalid: s3%20cr t", "it was 's3 cr t'", "got t0ken", uri] {
            let shown = without_secrets_of(uri, text);
            assert!(!shown.contains("s3") && !shown.contains("t0ken"), "{shown}");
        }
        assert!(!uri_without_password("mongodb://ann:s3 cr3t@h").contains("cr3t"));
    }
}
