//! From where a request comes: the other end of the connection, or whom a web server in between
//! names.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use raccordo_core::account::Address;

use super::Desk;

/// What web servers add the address to from which they were asked: the last one is theirs, the
/// others are what the browser wrote.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// From where a request comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin(pub Address);

impl FromRequestParts<Desk> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Infallible> {
        let other = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let other = other.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |ConnectInfo(it)| it.ip());
        Ok(Self(origin(other, &parts.headers, &desk.settings.proxies).into()))
    }
}

/// Only a web server on this machine, or one that is configured, is believed.
fn origin(other: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    let other = other.to_canonical();
    if !other.is_loopback() && !proxies.contains(&other) {
        return other;
    }
    let named = headers.get_all(FORWARDED_FOR).iter().next_back();
    let named = named.and_then(|value| value.to_str().ok()?.rsplit(',').next());
    named.and_then(address).map_or(other, |named| named.to_canonical())
}

/// An address, which some servers write with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let alone = text.trim_start_matches('[').trim_end_matches(']').parse().ok();
    alone.or_else(|| text.parse::<SocketAddr>().ok().map(|it| it.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_server_in_between_is_believed_where_it_is_known() {
        let check = |other: &str, said: &[&str], expected: &str| {
            let mut headers = HeaderMap::new();
            for one in said {
                headers.append(FORWARDED_FOR, one.parse().unwrap());
            }
            let proxies = ["10.0.0.5".parse().unwrap()];
            let found = origin(other.parse().unwrap(), &headers, &proxies);
            assert_eq!(found.to_string(), expected, "{other} {said:?}");
        };
        check("127.0.0.1", &[], "127.0.0.1");
        check("127.0.0.1", &["192.0.2.1"], "192.0.2.1");
        check("::ffff:127.0.0.1", &["192.0.2.1"], "192.0.2.1");
        check("10.0.0.5", &["192.0.2.1"], "192.0.2.1");
        check("10.0.0.6", &["192.0.2.1"], "10.0.0.6");
        // What the browser wrote stands before what the server added.
        check("127.0.0.1", &["198.51.100.9, 192.0.2.1"], "192.0.2.1");
        check("127.0.0.1", &["198.51.100.9", "192.0.2.1"], "192.0.2.1");
        check("127.0.0.1", &["2001:db8::1"], "2001:db8::1");
        check("127.0.0.1", &["[2001:db8::1]:443"], "2001:db8::1");
        check("127.0.0.1", &["192.0.2.1:55"], "192.0.2.1");
        check("127.0.0.1", &["unknown"], "127.0.0.1");
    }
}
