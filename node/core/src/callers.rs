//! Who is answered what at a hub: one table of every call and every kind of caller, which a test
//! drives over a real listener, and which `deploy/docs/security.md` shows.

/// As whom a hub knows who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caller {
    /// A key that is on no card here.
    Stranger,
    /// A key on a card that names a known node's id, of another identity key.
    Squatter,
    /// A verified peer that is in no équipe of this hub.
    Peer,
    /// A party of another équipe.
    Elsewhere,
    /// A party, here the chair.
    Member,
    /// A party that another has suspended, and that is no verified peer.
    Suspended,
    /// Was a party, and is no verified peer.
    Removed,
    /// A member, and verified peer, whose card has expired.
    Expired,
}

impl Caller {
    /// All, in the order of the table's columns.
    pub const ALL: [Self; 8] = [
        Self::Stranger,
        Self::Squatter,
        Self::Peer,
        Self::Elsewhere,
        Self::Member,
        Self::Suspended,
        Self::Removed,
        Self::Expired,
    ];

    /// In the head of its column.
    pub fn words(self) -> &'static str {
        match self {
            Self::Stranger => "stranger",
            Self::Squatter => "squatter",
            Self::Peer => "verified peer",
            Self::Elsewhere => "member of another équipe",
            Self::Member => "member",
            Self::Suspended => "suspended",
            Self::Removed => "removed",
            Self::Expired => "expired card",
        }
    }
}

/// What a caller hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its connection ends in the handshake: it never comes to call.
    NoConnection,
    /// What it gets, in a few words.
    Served(&'static str),
    /// A gRPC status and the stable reason.
    Refused(&'static str, &'static str),
}

impl Answer {
    /// In a cell of the table.
    pub fn words(self) -> String {
        match self {
            Self::NoConnection => "no connection".to_owned(),
            Self::Served(what) => what.to_owned(),
            Self::Refused(status, reason) => format!("{status} `{reason}`"),
        }
    }
}

/// A call of the hub's listener, well formed, about something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Full name of the gRPC service.
    pub service: &'static str,
    /// The method.
    pub method: &'static str,
    /// About what, where one method has several rows.
    pub about: &'static str,
    /// For [`Caller::ALL`].
    pub answers: [Answer; 8],
}

impl Row {
    /// What one of them hears.
    pub fn answer(&self, caller: Caller) -> Answer {
        let [stranger, squatter, peer, elsewhere, member, suspended, removed, expired] =
            self.answers;
        match caller {
            Caller::Stranger => stranger,
            Caller::Squatter => squatter,
            Caller::Peer => peer,
            Caller::Elsewhere => elsewhere,
            Caller::Member => member,
            Caller::Suspended => suspended,
            Caller::Removed => removed,
            Caller::Expired => expired,
        }
    }
}

/// The service of ours.
pub const HUB: &str = "raccordo.hub.v1.HubService";
const HEALTH: &str = "grpc.health.v1.Health";
const REFLECTION: &str = "grpc.reflection.v1.ServerReflection";
const REFLECTION_ALPHA: &str = "grpc.reflection.v1alpha.ServerReflection";

const DENIED: &str = "PERMISSION_DENIED";
const NOT_A_MEMBER: Answer = Answer::Refused(DENIED, "not_a_member");
const NOT_A_PARTY: Answer = Answer::Refused(DENIED, "not_a_party");
const NOT_THE_CHAIR: Answer = Answer::Refused(DENIED, "not_the_chair");
const CARD_EXPIRED: Answer = Answer::Refused(DENIED, "card_expired");
const OK: Answer = Answer::Served("ok");

/// A row of [`HUB`]: whoever comes to call, in the order of the columns.
const fn row(method: &'static str, about: &'static str, connected: [Answer; 6]) -> Row {
    of(HUB, method, about, connected)
}

const fn of(
    service: &'static str,
    method: &'static str,
    about: &'static str,
    connected: [Answer; 6],
) -> Row {
    let [peer, elsewhere, member, suspended, removed, expired] = connected;
    let none = Answer::NoConnection;
    let answers = [none, none, peer, elsewhere, member, suspended, removed, expired];
    Row { service, method, about, answers }
}

/// A row of what tells nothing of anybody: whoever comes to call is answered.
const fn open(service: &'static str, method: &'static str) -> Row {
    of(service, method, "", [OK; 6])
}

/// Every call of the listener, in the order of the protos.
pub const CALLS: &[Row] = &[
    row(
        "Append",
        "a message, into the équipe's log",
        [
            NOT_A_MEMBER,
            NOT_A_MEMBER,
            Answer::Served("placed"),
            NOT_A_MEMBER,
            NOT_A_MEMBER,
            CARD_EXPIRED,
        ],
    ),
    row(
        "Subscribe",
        "the équipe's log, and its own mailbox",
        [
            Answer::Served("mail; of the log `removed`"),
            Answer::Served("mail; of the log `removed`"),
            Answer::Served("mail, log"),
            Answer::Served("mail; the log until then, then `removed`"),
            Answer::Served("mail; the log until then, then `removed`"),
            Answer::Served("signs of life"),
        ],
    ),
    row(
        "Confirm",
        "the équipe's log, and its own mailbox",
        [
            Answer::Served("of its mailbox"),
            Answer::Served("of its mailbox"),
            Answer::Served("of mailbox and log"),
            Answer::Served("of its mailbox"),
            Answer::Served("of its mailbox"),
            CARD_EXPIRED,
        ],
    ),
    row(
        "OfferEquipe",
        "the équipe again",
        [NOT_THE_CHAIR, NOT_THE_CHAIR, OK, NOT_THE_CHAIR, NOT_THE_CHAIR, CARD_EXPIRED],
    ),
    row(
        "OfferEquipe",
        "a new équipe, which it chairs",
        [OK, OK, OK, NOT_A_PARTY, NOT_A_PARTY, CARD_EXPIRED],
    ),
    row(
        "FoundGroup",
        "of the équipe again",
        [NOT_THE_CHAIR, NOT_THE_CHAIR, OK, NOT_THE_CHAIR, NOT_THE_CHAIR, CARD_EXPIRED],
    ),
    row(
        "SeedGroup",
        "of the équipe again",
        [NOT_A_PARTY, NOT_A_PARTY, OK, NOT_A_PARTY, NOT_A_PARTY, CARD_EXPIRED],
    ),
    row(
        "DepositKeyPackages",
        "its own",
        [OK, OK, OK, Answer::Served("ok, one is kept"), NOT_A_PARTY, CARD_EXPIRED],
    ),
    row(
        "ClaimKeyPackages",
        "of a party, for the équipe",
        [NOT_A_PARTY, NOT_A_PARTY, OK, NOT_A_PARTY, NOT_A_PARTY, CARD_EXPIRED],
    ),
    row(
        "FetchTree",
        "of the équipe",
        [NOT_A_PARTY, NOT_A_PARTY, OK, NOT_A_PARTY, NOT_A_PARTY, CARD_EXPIRED],
    ),
    row("Post", "a pact, to a party of the équipe", [OK, OK, OK, OK, NOT_A_PARTY, CARD_EXPIRED]),
    row("Post", "a pact, to another peer", [OK, OK, OK, NOT_A_PARTY, NOT_A_PARTY, CARD_EXPIRED]),
    row(
        "Post",
        "a sealing challenge, to a party of the équipe",
        [OK, OK, OK, NOT_A_PARTY, NOT_A_PARTY, CARD_EXPIRED],
    ),
    row("Post", "its new card, to the hub", [OK, OK, OK, OK, NOT_A_PARTY, OK]),
    open(HEALTH, "Check"),
    open(HEALTH, "Watch"),
    open(REFLECTION, "ServerReflectionInfo"),
    open(REFLECTION_ALPHA, "ServerReflectionInfo"),
];

/// The table as the documents show it.
pub fn markdown() -> String {
    let mut table = String::from("| call | about |");
    let heads = Caller::ALL.map(|caller| format!(" {} |", caller.words())).concat();
    table.push_str(&format!("{heads}\n|---|---|{}\n", "---|".repeat(Caller::ALL.len())));
    for row in CALLS {
        // Of ours the service is known; another's two versions have one method.
        let call = match row.service {
            HUB => row.method.to_owned(),
            other => format!("{other}/{}", row.method),
        };
        let cells = row.answers.map(|answer| format!(" {} |", answer.words())).concat();
        table.push_str(&format!("| `{call}` | {} |{cells}\n", row.about));
    }
    table
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rows_are_told_apart_and_fit_their_cells() {
        let mut seen = BTreeSet::new();
        for row in CALLS {
            assert!(seen.insert((row.service, row.method, row.about)), "{row:?} stands twice");
            assert!(!row.about.contains('|'), "{row:?}");
        }
        let columns: BTreeSet<usize> =
            markdown().lines().map(|line| line.matches('|').count()).collect();
        assert_eq!(columns, BTreeSet::from([Caller::ALL.len() + 3]));
    }

    /// Whatever is added: a key that proves no card here comes to no call, and whose card has
    /// expired delivers a new one and hears signs of life, and nothing else of ours.
    #[test]
    fn what_holds_of_every_row() {
        let open = |row: &&Row| row.service == HUB && row.answer(Caller::Expired) != CARD_EXPIRED;
        let for_expired: Vec<_> = CALLS.iter().filter(open).map(|row| row.method).collect();
        assert_eq!(for_expired, ["Subscribe", "Post"]);
        for row in CALLS {
            for caller in [Caller::Stranger, Caller::Squatter] {
                assert_eq!(row.answer(caller), Answer::NoConnection, "{row:?}");
            }
        }
    }
}
