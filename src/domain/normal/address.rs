//! E-mail and web addresses.

use super::visible;

/// An e-mail address: the whole of it in lower case (ASCII only, so that no locale's `i` interferes), the domain as
/// DNS sees it (`xn--…`). Dots and `+tags` stay: only the mail provider knows what they mean.
pub fn email_key(s: &str) -> String {
    let address = visible(s).to_ascii_lowercase();
    match address.rsplit_once('@') {
        Some((mailbox, domain)) => format!("{mailbox}@{}", host(domain)),
        None => address,
    }
}

/// A web address: scheme and host in lower case, the host as DNS sees it, without a default port and a lone `/`.
///
/// A missing scheme stays missing; nobody knows whether `http` or `https` is meant.
pub fn url_key(s: &str) -> String {
    let url = visible(s);
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme.to_ascii_lowercase()), rest),
        _ => (None, url.as_str()),
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if scheme.is_none() && !is_bare_host(authority) {
        return url;
    }
    let authority = authority_key(authority, scheme.as_deref());
    let path = if path == "/" { "" } else { path };
    match scheme {
        Some(scheme) => format!("{scheme}://{authority}{path}"),
        None => format!("{authority}{path}"),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// Whether a text without a scheme looks like `example.org` or `example.org:8080`, not like a sentence.
fn is_bare_host(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, ""));
    host.contains('.') && !host.contains(char::is_whitespace) && port.chars().all(|c| c.is_ascii_digit())
}

fn authority_key(authority: &str, scheme: Option<&str>) -> String {
    let (user, host_port) = match authority.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, authority),
    };
    // More than one colon is an IPv6 address or nonsense; both are left alone but for case.
    let key = match host_port.split_once(':') {
        Some((name, port)) if !port.contains(':') => match (scheme, port) {
            (_, "") | (Some("http"), "80") | (Some("https"), "443") | (Some("ftp"), "21") => host(name),
            _ => format!("{}:{port}", host(name)),
        },
        Some(_) => host_port.to_ascii_lowercase(),
        None => host(host_port),
    };
    match user {
        Some(user) => format!("{user}@{key}"),
        None => key,
    }
}

fn host(name: &str) -> String {
    let name = name.trim();
    match idna::domain_to_ascii(name) {
        Ok(ascii) if !ascii.is_empty() => ascii,
        // Not a domain at all; two spellings may still differ in case only.
        _ => name.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_email_address_have_one_key() {
        for (raw, expected) in [
            (" Ada@Example.ORG ", "ada@example.org"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
            ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
            ("a.d.a+news@example.org", "a.d.a+news@example.org"),
            ("\u{202a}ada@example.org\u{202c}", "ada@example.org"),
            ("IRIS@example.org", "iris@example.org"),
            ("İris@example.org", "İris@example.org"),
            ("ask at the desk", "ask at the desk"),
            ("ada@not a domain", "ada@not a domain"),
            ("", ""),
        ] {
            assert_eq!(email_key(raw), expected, "{raw:?}");
        }
    }

    #[test]
    fn spellings_of_one_web_address_have_one_key() {
        for (raw, expected) in [
            ("HTTPS://Example.ORG/", "https://example.org"),
            ("https://example.org:443", "https://example.org"),
            ("http://example.org:8080/Path/", "http://example.org:8080/Path/"),
            ("https://example.org/?q=A", "https://example.org/?q=A"),
            ("Example.org/About", "example.org/About"),
            ("http://bücher.example/ä", "http://xn--bcher-kva.example/ä"),
            ("http://[2001:DB8::1]/", "http://[2001:db8::1]"),
            ("mailto:Ada@Example.org", "mailto:Ada@Example.org"),
            ("see Page. 4", "see Page. 4"),
            ("http://", "http://"),
            ("", ""),
        ] {
            assert_eq!(url_key(raw), expected, "{raw:?}");
        }
    }
}
