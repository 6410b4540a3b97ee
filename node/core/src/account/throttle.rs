//! Which attempts to sign in are looked at: guesses stay few, and nobody is kept out by
//! somebody else's guesses.
//!
//! Each attempt takes from several buckets, which fill again with time (the generic cell rate
//! algorithm, ITU-T I.371 §A); one that was right gives back what it took. A browser in which
//! its operator has signed in before ([`super::Device`]) has a bucket of its own and meets none
//! of the others, so that strangers cannot shut it out. Strangers meet one for their address,
//! one for their address and the name that they try, one for the name, and one for all of them:
//! a single address empties no name's bucket, and many together find no more than some hundred
//! guesses a day at one name. Names that nobody has are treated as all others.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::id::Digest;
use crate::time::Instant;

/// Most buckets of a kind that are remembered; beyond, the fullest is forgotten.
const BUCKETS_MAX: usize = 10_000;

/// How many attempts a bucket holds when it is full, and how long one takes to come back.
#[derive(Clone, Copy, Debug)]
struct Rate {
    most: u32,
    every: Duration,
}

const fn rate(most: u32, every_s: u64) -> Rate {
    Rate { most, every: Duration::from_secs(every_s) }
}

/// Of one known browser: 720 guesses a day.
const DEVICE: Rate = rate(10, 120);
/// Of one address, whatever names it tries.
const ADDRESS: Rate = rate(20, 60);
/// Of one address at one name: slower than a name's bucket fills.
const ADDRESS_AT_NAME: Rate = rate(5, 600);
/// Of all strangers at one name: 250 guesses a day.
const NAME: Rate = rate(10, 360);
/// Of all strangers: what their passwords cost to hash is bounded.
const STRANGERS: Rate = rate(60, 1);
/// Of one address by way of the identity provider: an office in the morning.
const ADDRESS_TO_PROVIDER: Rate = rate(60, 5);
/// Of all by way of the identity provider.
const TO_PROVIDER: Rate = rate(300, 1);

impl Rate {
    /// How long a full bucket takes to fill.
    fn span(self) -> Duration {
        self.every.saturating_mul(self.most)
    }
}

/// Where an attempt comes from: an IPv4 address, or the /64 of an IPv6 address, of which one
/// customer has all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address([u8; 8]);

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(four) => {
                let [a, b, c, d] = four.octets();
                Self([0, 0, 0, 0, a, b, c, d])
            }
            IpAddr::V6(six) => {
                let [a, b, c, d, e, f, g, h, ..] = six.octets();
                Self([a, b, c, d, e, f, g, h])
            }
        }
    }
}

/// One attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// In a browser in which the operator of the name has signed in before.
    Known(Digest),
    /// From an address, at a name: its keyed digest, whether somebody has it or not.
    Stranger(Address, Digest),
    /// From an address, by way of the identity provider, which is asked each time.
    Provider(Address),
}

/// How many attempts are left, by whom.
#[derive(Debug)]
pub struct Throttle {
    devices: Buckets<Digest>,
    addresses: Buckets<Address>,
    addresses_at_names: Buckets<(Address, Digest)>,
    names: Buckets<Digest>,
    strangers: Buckets<()>,
    ways_of_addresses: Buckets<Address>,
    ways: Buckets<()>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            devices: Buckets::new(DEVICE),
            addresses: Buckets::new(ADDRESS),
            addresses_at_names: Buckets::new(ADDRESS_AT_NAME),
            names: Buckets::new(NAME),
            strangers: Buckets::new(STRANGERS),
            ways_of_addresses: Buckets::new(ADDRESS_TO_PROVIDER),
            ways: Buckets::new(TO_PROVIDER),
        }
    }
}

impl Throttle {
    /// Takes one attempt out of each bucket that it meets; false, and none is taken, where one
    /// of them is empty.
    pub fn take(&mut self, attempt: &Attempt, now: Instant) -> bool {
        let free = match attempt {
            Attempt::Known(device) => self.devices.has(device, now),
            Attempt::Stranger(from, name) => {
                self.addresses.has(from, now)
                    && self.addresses_at_names.has(&(*from, *name), now)
                    && self.names.has(name, now)
                    && self.strangers.has(&(), now)
            }
            Attempt::Provider(from) => {
                self.ways_of_addresses.has(from, now) && self.ways.has(&(), now)
            }
        };
        match *attempt {
            _ if !free => {}
            Attempt::Known(device) => self.devices.take(device, now),
            Attempt::Stranger(from, name) => {
                self.addresses.take(from, now);
                self.addresses_at_names.take((from, name), now);
                self.names.take(name, now);
                self.strangers.take((), now);
            }
            Attempt::Provider(from) => {
                self.ways_of_addresses.take(from, now);
                self.ways.take((), now);
            }
        }
        free
    }

    /// Gives back what a right attempt took.
    pub fn give_back(&mut self, attempt: &Attempt) {
        match attempt {
            Attempt::Known(device) => self.devices.give_back(device),
            Attempt::Stranger(from, name) => {
                self.addresses.give_back(from);
                self.addresses_at_names.give_back(&(*from, *name));
                self.names.give_back(name);
                self.strangers.give_back(&());
            }
            Attempt::Provider(from) => {
                self.ways_of_addresses.give_back(from);
                self.ways.give_back(&());
            }
        }
    }
}

/// Buckets of one rate.
#[derive(Debug)]
struct Buckets<K> {
    rate: Rate,
    /// When each is full again; those that are full are not here.
    full_at: BTreeMap<K, Instant>,
}

impl<K: Ord + Copy> Buckets<K> {
    fn new(rate: Rate) -> Self {
        Self { rate, full_at: BTreeMap::new() }
    }

    /// How much time a bucket lacks. What lacks more than an empty one is of a clock that was
    /// put back since, and is full.
    fn lacks(&self, key: &K, now: Instant) -> Duration {
        let full_at = self.full_at.get(key).copied().unwrap_or(now);
        Some(full_at.since(now)).filter(|lacks| *lacks <= self.rate.span()).unwrap_or_default()
    }

    fn has(&self, key: &K, now: Instant) -> bool {
        self.lacks(key, now).saturating_add(self.rate.every) <= self.rate.span()
    }

    fn take(&mut self, key: K, now: Instant) {
        let lacks = self.lacks(&key, now).saturating_add(self.rate.every);
        if !self.full_at.contains_key(&key) && self.full_at.len() >= BUCKETS_MAX {
            self.make_room(now);
        }
        self.full_at.insert(key, now.plus(lacks));
    }

    fn give_back(&mut self, key: &K) {
        let every = self.rate.every;
        if let Some(full_at) = self.full_at.get_mut(key) {
            *full_at = full_at.minus(every);
        }
    }

    /// Forgets what is full, or, where nothing is, the one that lacks least.
    fn make_room(&mut self, now: Instant) {
        self.full_at.retain(|_, full_at| *full_at > now);
        if self.full_at.len() >= BUCKETS_MAX {
            let fullest = self.full_at.iter().min_by_key(|(_, full_at)| **full_at);
            if let Some(fullest) = fullest.map(|(key, _)| *key) {
                self.full_at.remove(&fullest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_S: u64 = 86_400;

    fn at(second: u64) -> Instant {
        Instant(1_790_000_000_000).plus(Duration::from_secs(second))
    }

    fn address(number: u32) -> Address {
        Address::from(IpAddr::from(number.to_be_bytes()))
    }

    fn stranger(from: u32, name: &[u8]) -> Attempt {
        Attempt::Stranger(address(from), Digest::of(name))
    }

    fn known() -> Attempt {
        Attempt::Known(Digest::of(b"device"))
    }

    /// How many attempts pass of one in each second of a day.
    fn passed(throttle: &mut Throttle, attempt: impl Fn(u64) -> Attempt) -> usize {
        (0..DAY_S).filter(|second| throttle.take(&attempt(*second), at(*second))).count()
    }

    #[test]
    fn one_stranger_closes_no_name() {
        let mut throttle = Throttle::default();
        for second in 0..DAY_S {
            throttle.take(&stranger(7, b"anna"), at(second));
            if second % 3_600 == 0 {
                // From elsewhere, and in a browser that is not known yet.
                let anna = stranger(8, b"anna");
                assert!(throttle.take(&anna, at(second)), "at {second}");
                throttle.give_back(&anna);
            }
        }
    }

    #[test]
    fn many_strangers_shut_no_known_browser_out() {
        let mut throttle = Throttle::default();
        let mut shut = 0;
        for second in 0..DAY_S {
            let number = u32::try_from(second).unwrap();
            throttle.take(&stranger(number, b"anna"), at(second));
            shut += usize::from(!throttle.take(&stranger(number + 1, b"anna"), at(second)));
            if second % 600 == 0 {
                assert!(throttle.take(&known(), at(second)), "at {second}");
                throttle.give_back(&known());
            }
        }
        assert!(shut > 80_000, "the name's bucket was never empty: {shut}");
    }

    #[test]
    fn guesses_at_one_name_are_few() {
        let mut throttle = Throttle::default();
        let number = |second: u64| u32::try_from(second).unwrap();
        let all = passed(&mut throttle, |second| stranger(number(second), b"anna"));
        assert_eq!(all, 10 + 239);
        let mut throttle = Throttle::default();
        let one = passed(&mut throttle, |_| stranger(7, b"anna"));
        assert_eq!(one, 5 + 143);
        let mut throttle = Throttle::default();
        let device = passed(&mut throttle, |_| known());
        assert_eq!(device, 10 + 719);
    }

    #[test]
    fn one_address_tries_few_names() {
        let mut throttle = Throttle::default();
        let passed = passed(&mut throttle, |second| stranger(7, &second.to_be_bytes()));
        assert_eq!(passed, 20 + 1_439);
    }

    #[test]
    fn the_provider_is_asked_only_so_often() {
        let mut throttle = Throttle::default();
        let passed = passed(&mut throttle, |_| Attempt::Provider(address(7)));
        assert_eq!(passed, 60 + 17_279);
        assert!(throttle.take(&stranger(7, b"anna"), at(DAY_S)), "names are another matter");
    }

    #[test]
    fn who_is_right_is_never_stopped() {
        let mut throttle = Throttle::default();
        for number in 0..200_u32 {
            // An office behind one address, at eight o'clock.
            let attempt = stranger(7, &number.to_be_bytes());
            assert!(throttle.take(&attempt, at(0)), "{number}");
            throttle.give_back(&attempt);
        }
    }

    #[test]
    fn attempts_under_way_count() {
        let mut throttle = Throttle::default();
        let together = (0..100).filter(|_| throttle.take(&stranger(7, b"anna"), at(0))).count();
        assert_eq!(together, 5);
    }

    #[test]
    fn what_is_refused_costs_nothing() {
        let mut throttle = Throttle::default();
        while throttle.take(&stranger(7, b"anna"), at(0)) {}
        let other = (0..100).filter(|_| throttle.take(&stranger(7, b"bruno"), at(0))).count();
        assert_eq!(other, 5);
    }

    #[test]
    fn memory_is_bounded_and_keeps_who_tried_most() {
        let mut buckets = Buckets::new(NAME);
        for _ in 0..3 {
            buckets.take(u32::MAX, at(0));
        }
        for number in 0..10_200_u32 {
            buckets.take(number, at(0));
        }
        assert_eq!(buckets.full_at.len(), BUCKETS_MAX);
        assert!(buckets.full_at.contains_key(&u32::MAX));
        buckets.take(20_000, at(DAY_S));
        assert_eq!(buckets.full_at.len(), 1);
    }

    #[test]
    fn a_clock_that_is_put_back_stops_nobody() {
        let mut throttle = Throttle::default();
        while throttle.take(&stranger(7, b"anna"), at(DAY_S)) {}
        assert!(throttle.take(&stranger(7, b"anna"), at(0)));
        assert!(throttle.take(&stranger(8, b"anna"), at(0)));
    }

    #[test]
    fn one_customer_is_one_address() {
        let check = |one: &str, other: &str, same: bool| {
            let [one, other] = [one, other].map(|it| Address::from(it.parse::<IpAddr>().unwrap()));
            assert_eq!(one == other, same);
        };
        check("192.0.2.1", "192.0.2.1", true);
        check("192.0.2.1", "192.0.2.2", false);
        check("192.0.2.1", "::ffff:192.0.2.1", true);
        check("2001:db8::1", "2001:db8::ffff:1", true);
        check("2001:db8::1", "2001:db8:0:1::1", false);
        check("127.0.0.1", "::1", false);
    }
}
