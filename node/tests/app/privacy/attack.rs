//! An offline dictionary attack: whatever who has seen and stolen something can compute of a
//! guess is looked for in what was seen.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use raccordo_core::evidence::family::Family;
use raccordo_core::id::{Digest, LineageId, NodeId};
use raccordo_core::pseudonym::collusion::collude;
use raccordo_core::pseudonym::key::{Class, KeyEpoch, KeyId};
use raccordo_core::pseudonym::share::KeyShare;
use raccordo_core::pseudonym::sharing::Sharing;
use raccordo_core::pseudonym::token::{Contribution, PairSecret, TOKEN_BYTES, TagKey, Token};
use raccordo_core::secret::Secret;
use raccordo_core::vault::Vault;

use crate::many::{Many, id};

/// Texts shorter than this are in any file by chance.
const TEXT_BYTES_MIN: usize = 7;
/// What a keyed hash of a value is made for, where there is no better protocol.
const PLAIN: &str = "plain";

type Image = [u8; TOKEN_BYTES];

/// A guess: a family and a value in its normal form.
pub type Guess = (Family, String);

/// What somebody has.
pub struct Loot {
    lineage: LineageId,
    seen: Vec<Vec<u8>>,
    keys: Vec<Vault>,
    ways: Vec<(PairSecret, NodeId, NodeId)>,
    sharings: BTreeMap<Class, Sharing>,
    shares: BTreeMap<Class, BTreeMap<NodeId, KeyShare>>,
}

fn first(bytes: &[u8]) -> Image {
    *bytes.first_chunk().unwrap()
}

/// The documented input of the pseudo-random function.
fn input(key: &KeyId, (family, value): &Guess) -> String {
    let KeyId { lineage, class, epoch } = key;
    format!("v1|{lineage}|{epoch}|{class}|{family}|{value}")
}

/// What a guess would be in a protocol of keyed hashes, under a key that every member has.
pub fn plain_hmac(key: &[u8; 32], lineage: LineageId, guess: &Guess) -> Image {
    let id = KeyId { lineage, class: guess.0.class(), epoch: KeyEpoch::FIRST };
    let vault = Vault::new(&Secret::new(*key));
    first(&vault.index(PLAIN, input(&id, guess).as_bytes()))
}

/// Bytes that would give a guess away, by how they end.
#[derive(Default)]
struct Sought<'g>(HashMap<[u8; 3], Vec<(Vec<u8>, &'g Guess)>>);

impl<'g> Sought<'g> {
    fn add(&mut self, bytes: Vec<u8>, guess: &'g Guess) {
        let end = *bytes.last_chunk().unwrap();
        self.0.entry(end).or_default().push((bytes, guess));
    }

    fn look(&self, seen: &[u8]) -> BTreeSet<Guess> {
        let place =
            |end: &[u8]| usize::from(end[0]) << 16 | usize::from(end[1]) << 8 | usize::from(end[2]);
        let mut ends = vec![false; 1 << 24];
        self.0.keys().for_each(|end| ends[place(end)] = true);
        let mut found = BTreeSet::new();
        for at in 3..=seen.len() {
            let end = &seen[at - 3..at];
            if ends[place(end)] {
                let sought = self.0.get(end).into_iter().flatten();
                let here = sought.filter(|(bytes, _)| seen[..at].ends_with(bytes));
                found.extend(here.map(|(_, guess)| (*guess).clone()));
            }
        }
        found
    }
}

impl Loot {
    /// Nothing yet.
    pub fn new(lineage: LineageId) -> Self {
        let (sharings, shares) = (BTreeMap::new(), BTreeMap::new());
        Self { lineage, seen: Vec::new(), keys: Vec::new(), ways: Vec::new(), sharings, shares }
    }

    /// Adds what was seen.
    pub fn see(&mut self, bytes: impl Into<Vec<u8>>) {
        self.seen.push(bytes.into());
    }

    /// Adds a key, with which keyed hashes are tried.
    pub fn know(&mut self, key: [u8; 32]) {
        self.keys.push(Vault::new(&Secret::new(key)));
    }

    /// Adds all that is in a member's database, opened with its node key: what it shares with
    /// each peer, and its shares of the keys.
    pub async fn steal(&mut self, many: &Many, member: usize) {
        let (vault, me, lineage) = (many.vault(member), id(member), self.lineage);
        let mut tx = many.node(member).store.read().await.unwrap();
        for row in tx.pairs(lineage).await.unwrap() {
            let half = |whose: &str, sealed: &[u8]| -> Contribution {
                let context = format!("pair/{lineage}/{}/{whose}", row.peer);
                let opened = vault.open(&context, sealed).unwrap();
                Secret::new(opened.reveal().as_slice().try_into().unwrap())
            };
            let (own, theirs) = (half("own", &row.sealed_own), half("theirs", &row.sealed_theirs));
            self.know(*own.reveal());
            self.know(*theirs.reveal());
            let secret = PairSecret::derive((&me, &own), (&row.peer, &theirs)).unwrap();
            self.know(*secret.reveal().reveal());
            self.ways.push((secret.clone(), me.clone(), row.peer.clone()));
            self.ways.push((secret, row.peer, me.clone()));
        }
        for row in tx.key_sharings(lineage).await.unwrap() {
            let (class, epoch, generation) = (row.class, row.key_epoch, row.generation);
            let share = tx.key_share(lineage, class, epoch, generation).await.unwrap().unwrap();
            let context = format!("key-share/{lineage}/{class}/{epoch}/{generation}");
            let opened = vault.open(&context, &share.sealed).unwrap();
            let share = KeyShare::decode(&opened).unwrap();
            self.sharings.insert(class, Sharing::decode(&row.sharing).unwrap());
            self.shares.entry(class).or_default().insert(me.clone(), share);
        }
    }

    /// The guesses that show in what was seen, by a value or by anything that can be computed
    /// of it.
    pub fn test(&self, dictionary: &[Guess]) -> BTreeSet<Guess> {
        let mut sought = Sought::default();
        for guess in dictionary {
            for image in self.images(guess) {
                sought.add(image.to_vec(), guess);
            }
            if guess.1.len() >= TEXT_BYTES_MIN {
                sought.add(guess.1.clone().into_bytes(), guess);
            }
        }
        self.seen.iter().flat_map(|bytes| sought.look(bytes)).collect()
    }

    /// Tokens and tags that a guess may have.
    fn images(&self, guess: &Guess) -> Vec<Image> {
        let (family, value) = guess;
        let key = KeyId { lineage: self.lineage, class: family.class(), epoch: KeyEpoch::FIRST };
        let mut tokens = Vec::new();
        for text in [value.clone(), format!("{family}|{value}"), input(&key, guess)] {
            tokens.push(first(&Digest::of(text.as_bytes()).0));
            let keyed = self.keys.iter().map(|key| first(&key.index(PLAIN, text.as_bytes())));
            tokens.extend(keyed);
        }
        let (sharing, shares) = (self.sharings.get(&key.class), self.shares.get(&key.class));
        if let Some((sharing, shares)) = sharing.zip(shares) {
            let token = collude(sharing, shares, family.name(), value).unwrap();
            tokens.push(*token.reveal());
        }
        let keys = self
            .ways
            .iter()
            .map(|(secret, from, to)| TagKey::derive(secret, from, to, &key).unwrap());
        let tags = keys.flat_map(|key| {
            let tag = |token: &Image| key.tag(&Token::from_bytes(*token)).unwrap().0;
            tokens.iter().map(tag).collect::<Vec<_>>()
        });
        tags.collect::<Vec<_>>().into_iter().chain(tokens.clone()).collect()
    }
}
