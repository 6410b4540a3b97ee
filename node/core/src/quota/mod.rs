//! What one peer may take of this node, and what all may: one table, by which the code
//! counts, and which `deploy/docs/security.md` shows.
//!
//! A quota is counted for whoever causes the work or the row, never for all together
//! alone: who reaches its own bound is refused, and the others go on. What a peer cannot be
//! refused (its commits and notices) has room of its own.

mod bucket;

use std::time::Duration;

pub use bucket::{Bucket, Buckets, Pace};

/// In what a quota is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Items,
    /// Bytes.
    Bytes,
    /// Things in a minute: so many at once, and as many again in each minute, evenly.
    PerMinute,
    /// The same in an hour.
    PerHour,
    /// The same in a day.
    PerDay,
    /// Seconds.
    Seconds,
    /// Days.
    Days,
    /// Hundredths of something.
    Percent,
}

impl Unit {
    /// A number of it, in words.
    pub fn words(self, number: u64) -> String {
        match self {
            Self::Items => number.to_string(),
            Self::Bytes => bytes_in_words(number),
            Self::PerMinute => format!("{number} in a minute"),
            Self::PerHour => format!("{number} in an hour"),
            Self::PerDay => format!("{number} in a day"),
            Self::Seconds => format!("{number} s"),
            Self::Days => format!("{number} days"),
            Self::Percent => format!("{number} %"),
        }
    }
}

fn bytes_in_words(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let whole = UNITS.into_iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit));
    whole.map_or(format!("{bytes} bytes"), |(unit, name)| format!("{} {name}", bytes / unit))
}

/// What is known of one quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Stable, snake case: in logs, metrics and documents.
    pub name: &'static str,
    /// What it bounds, and for whom.
    pub bounds: &'static str,
    /// How much is allowed; where the configuration sets it, the default.
    pub number: u64,
    /// Of what.
    pub unit: Unit,
    /// What happens at it.
    pub outcome: &'static str,
    /// The stable reason of the refusal; empty where nobody is refused.
    pub reason: &'static str,
}

/// Declares all quotas: the type that names them, and the table.
macro_rules! quotas {
    ($($(#[$doc:meta])* $quota:ident = $name:literal, $number:expr, $unit:ident,
       $bounds:literal, $outcome:literal, $reason:literal;)*) => {
        /// A quota, by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Quota {
            $(#[doc = $bounds] $quota,)*
        }

        /// Every quota, in the order of the documents.
        pub const ALL: &[Quota] = &[$(Quota::$quota),*];

        impl Quota {
            /// Its row of the table.
            pub const fn row(self) -> Row {
                match self {
                    $(Self::$quota => Row {
                        name: $name,
                        bounds: $bounds,
                        number: $number,
                        unit: Unit::$unit,
                        outcome: $outcome,
                        reason: $reason,
                    },)*
                }
            }
        }
    };
}

quotas! {
    CallPace = "call_pace", 6_000, PerMinute,
        "calls of one peer to a hub (configured: `hub.calls_per_minute`)",
        "further calls wait for their turn", "";
    CallsOfPeer = "calls_of_peer", 8, Items,
        "calls of one peer under way at a hub",
        "further calls wait for their turn", "";
    CallsWaiting = "calls_waiting", 256, Items,
        "calls of one peer or client that wait for their turn at a listener",
        "a further call is refused", "too_many_calls";
    BytesOfPeer = "bytes_of_peer", 8 << 20, Bytes,
        "messages of one peer under way at a hub; a tree that it fetches counts as 4 MiB",
        "further messages wait until there is room", "";
    BytesOfPeers = "bytes_of_peers", 64 << 20, Bytes,
        "messages above 64 KiB of all peers under way at a hub",
        "further large messages wait until there is room", "";
    HubMessageBytes = "hub_message_bytes", 8 << 20, Bytes,
        "one message between node and hub, either way",
        "the call is refused", "message_too_large";
    HubMessageElements = "hub_message_elements", 16_384, Items,
        "elements and inner messages of one message between node and hub, either way",
        "the call is refused before the message is decoded", "too_many";
    RequestSeconds = "request_seconds", 30, Seconds,
        "how long the message of a call may take to arrive",
        "the call is ended", "request_too_slow";
    SubscriptionsOfPeer = "subscriptions_of_peer", 8, Items,
        "subscriptions of one peer at a hub",
        "a further subscription is refused", "too_many_subscriptions";
    CallsOfClient = "calls_of_client", 256, Items,
        "calls under way of one address, or of this machine's sockets",
        "further calls wait for their turn", "";
    StreamsOfClient = "streams_of_client", 64, Items,
        "streams (watches, exports) of one address, or of this machine's sockets",
        "a further stream is refused", "too_many_calls";
    BytesOfClient = "bytes_of_client", 16 << 20, Bytes,
        "messages under way of one address, or of this machine's sockets",
        "further messages wait until there is room", "";
    BytesOfClients = "bytes_of_clients", 64 << 20, Bytes,
        "messages above 64 KiB of all addresses under way",
        "further large messages wait until there is room", "";
    CallMessageBytes = "call_message_bytes", 4 << 20, Bytes,
        "one message of the region's own systems or an administrator",
        "the call is refused", "message_too_large";
    CallMessageElements = "call_message_elements", 65_536, Items,
        "elements and inner messages of one such message",
        "the call is refused before the message is decoded", "too_many";
    EntriesOfCall = "entries_of_call", 64, Items,
        "entries of one call that appends to a log",
        "the call is refused", "bad_batch";
    MessageBytes = "message_bytes", 72 << 10, Bytes,
        "one message in a log",
        "the entry is refused", "frame_too_large";
    CommitBytes = "commit_bytes", 4 << 20, Bytes,
        "one change of membership or keys in a log, and beside it the Welcome",
        "the entry is refused", "frame_too_large";
    GroupInfoBytes = "group_info_bytes", 1 << 20, Bytes,
        "the GroupInfo beside one change in a log",
        "the entry is refused", "frame_too_large";
    NoticeBytes = "notice_bytes", 16 << 10, Bytes,
        "one notice in a log",
        "the entry is refused", "frame_too_large";
    EntriesOfMember = "entries_of_member", 600, PerMinute,
        "messages of one member in one équipe's log (configured: `hub.entries_per_minute`)",
        "further messages are refused until their turn; the member tries again by itself",
        "rate_limited";
    CommitsOfMember = "commits_of_member", 120, PerHour,
        "changes of membership and keys by one member in one équipe's log",
        "further ones are refused until their turn; the member tries again by itself",
        "rate_limited";
    NoticesOfMember = "notices_of_member", 120, PerHour,
        "notices of one member in one équipe's log",
        "further ones are refused until their turn; the member tries again by itself",
        "rate_limited";
    LogBytesOfEquipe = "log_bytes_of_equipe", 4 << 30, Bytes,
        "messages kept in one équipe's log (configured: `hub.stored_bytes`)",
        "further messages are refused until members confirm; changes and notices are not",
        "log_full";
    LogShareOfMember = "log_share_of_member", 25, Percent,
        "of these the messages of one member",
        "its further messages are refused until members confirm; the others' are not",
        "member_log_full";
    ReservedBytesOfMember = "reserved_bytes_of_member", 16 << 20, Bytes,
        "changes and notices of one member kept in one équipe's log, beside all messages",
        "its further ones are refused until members confirm; the others' are not",
        "member_log_full";
    TreesOfEquipe = "trees_of_equipe", 32, Items,
        "ratchet trees kept for newcomers of one équipe",
        "the oldest goes; who needed it is invited again", "";
    LogRowDays = "log_row_days", 90, Days,
        "how long a log knows an entry again that it serves no more",
        "its row is deleted", "";
    AuditedRefusals = "audited_refusals", 16, PerDay,
        "audit records of what one peer was refused here",
        "further ones are counted, and told by `doctor`, and not recorded one by one", "";
    OfferBytes = "offer_bytes", 4 << 20, Bytes,
        "one offer of an équipe to a hub: statement and cards",
        "the offer is refused", "offer_too_large";
    OffersOfPeer = "offers_of_peer", 8, Items,
        "offers of one peer that wait at a hub, or were refused there",
        "a further offer is refused", "too_many_offers";
    OfferBytesOfPeer = "offer_bytes_of_peer", 8 << 20, Bytes,
        "all of these offers of one peer together",
        "a further offer is refused", "too_many_offers";
    OffersAtHub = "offers_at_hub", 64, Items,
        "offers of all peers that wait at a hub, or were refused there",
        "a further offer is refused", "too_many_offers";
    OfferBytesAtHub = "offer_bytes_at_hub", 32 << 20, Bytes,
        "all of these offers of all peers together",
        "a further offer is refused", "too_many_offers";
    OfferDays = "offer_days", 30, Days,
        "how long an offer waits at a hub, or stays refused",
        "it is deleted; the chair's node offers again what still waits", "";
    ClaimParties = "claim_parties", 1_000, Items,
        "parties of one claim of key packages",
        "the call is refused", "too_many";
    ClaimsOfPeer = "claims_of_peer", 8, PerDay,
        "single-use key packages of one owner that one claimant gets at a hub",
        "the owner's last resort is given, which stays", "";
    AskedOfOwner = "asked_of_owner", 8, PerDay,
        "times that one claimant has one owner asked by a hub for key packages",
        "the owner is not asked again; the claimant's call is answered all the same", "";
    KeyPackagesMade = "key_packages_made", 16, PerDay,
        "single-use key packages that a node makes of one suite because one hub asks",
        "no more are made until a day has passed", "";
    KeyPackageBytes = "key_package_bytes", 16 << 10, Bytes,
        "one key package in a hub's pool",
        "the deposit is refused", "bad_key_package";
    KeyPackagesOfOwner = "key_packages_of_owner", 20, Items,
        "key packages of one owner and suite in a hub's pool",
        "the oldest goes", "";
    KeyPackagesOfSuspended = "key_packages_of_suspended", 1, Items,
        "the same of an owner that deposits while it is suspended",
        "the oldest goes", "";
    PostBytes = "post_bytes", 256 << 10, Bytes,
        "one item posted to a mailbox at a hub",
        "the post is refused", "item_too_large";
    PostsToMailbox = "posts_to_mailbox", 32, Items,
        "items of one sender that wait in one mailbox",
        "a further post is refused until the recipient has read, or they expire",
        "too_many_posts";
    PostedBytesToMailbox = "posted_bytes_to_mailbox", 4 << 20, Bytes,
        "bytes of one sender that wait in one mailbox",
        "a further post is refused until the recipient has read, or they expire",
        "too_many_posts";
    PostsOfSender = "posts_of_sender", 1_024, Items,
        "items of one sender that wait in all mailboxes of a hub",
        "a further post is refused until recipients have read, or they expire",
        "too_many_posts";
    PostedBytesOfSender = "posted_bytes_of_sender", 64 << 20, Bytes,
        "bytes of one sender that wait in all mailboxes of a hub",
        "a further post is refused until recipients have read, or they expire",
        "too_many_posts";
    MailboxItems = "mailbox_items", 256, Items,
        "items of all peers that wait in one mailbox",
        "a further post is refused; what the hub itself has to say has room of its own",
        "mailbox_full";
    MailboxBytes = "mailbox_bytes", 32 << 20, Bytes,
        "bytes of all peers that wait in one mailbox",
        "a further post is refused; what the hub itself has to say has room of its own",
        "mailbox_full";
    MailDays = "mail_days", 30, Days,
        "how long an item waits in a mailbox",
        "it is deleted", "";
    ProposalsOfPeer = "proposals_of_peer", 8, Items,
        "proposals signed by one peer that wait for a node's signature: of new équipes, and of changes in each",
        "a further proposal of its is refused, unless another party has signed it too",
        "too_many_proposals";
    ProposalsPosted = "proposals_posted", 64, PerDay,
        "proposals of one peer that a node takes from its mailbox",
        "a further proposal is refused until its turn; the peer proposes it again",
        "too_many_proposals";
    ProposalDays = "proposal_days", 90, Days,
        "how long the proposal of an équipe waits for a node's signature",
        "it is deleted; its chair proposes it again", "";
    CardsOfPeer = "cards_of_peer", 8, PerDay,
        "cards of one peer that a node takes in the place of the one before",
        "a further card is refused until its turn", "too_many_cards";
    NoticeDays = "notice_days", 90, Days,
        "how far the times in a notice and of its entry lie apart",
        "the notice is refused, and its sender told", "notice_too_old";
    TagsMadeAnew = "tags_made_anew", 16, PerDay,
        "times that one member has a node show all its tags anew",
        "the newest is taken, and all is shown when the turn comes", "";
    HalvesSent = "halves_sent", 16, PerDay,
        "times that a node sends one member its half of what they share",
        "it is not sent again that day", "";
    SetAsideOfEntry = "set_aside_of_entry", 64, Items,
        "envelopes of one message that a member cannot process, told one by one",
        "the message is refused as a whole, and its sender told", "too_many_set_aside";
    SetAsideOfMember = "set_aside_of_member", 4_096, Items,
        "notes at a member of what it could not process of another in one équipe",
        "the oldest go", "";
    WholesOfMember = "wholes_of_member", 16, Items,
        "envelopes of one member of which parts are missing at another in one équipe",
        "the one begun first is refused, and its sender told", "parts_missing";
    WholeBytesOfMember = "whole_bytes_of_member", 16 << 20, Bytes,
        "parts of these envelopes of one member together",
        "the one begun first is refused, and its sender told", "parts_missing";
    WholeDays = "whole_days", 14, Days,
        "how long parts wait for the rest of their envelope",
        "the envelope is refused, and its sender told", "parts_missing";
    SeenDays = "seen_days", 400, Days,
        "how long a member's envelope is known again, however long its alert lasts",
        "it is forgotten; its place and version still tell what is old", "";
}

impl Quota {
    /// How much is allowed.
    pub const fn number(self) -> u64 {
        self.row().number
    }

    /// The same as a count of things in memory.
    pub const fn count(self) -> usize {
        // Every number of the table fits: a test looks.
        self.row().number as usize
    }

    /// The number of a quota counted in days or seconds, as a span.
    pub const fn span(self) -> Duration {
        match self.row().unit {
            Unit::Days => Duration::from_secs(self.row().number.saturating_mul(24 * 3600)),
            _ => Duration::from_secs(self.row().number),
        }
    }

    /// The number of a quota counted in so many a minute, hour or day, as a pace.
    pub const fn pace(self) -> Pace {
        // Every number of the table fits: a test looks.
        let burst = self.row().number as u32;
        match self.row().unit {
            Unit::PerHour => Pace::per_hour(burst),
            Unit::PerDay => Pace::per_day(burst),
            _ => Pace::per_minute(burst),
        }
    }
}

/// The name that stands in logs and metrics.
impl std::fmt::Display for Quota {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.row().name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rows_are_whole_and_names_are_their_own() {
        let mut names = BTreeSet::new();
        for quota in ALL {
            let row = quota.row();
            assert!(names.insert(row.name), "{} stands twice", row.name);
            assert!(!row.bounds.is_empty() && !row.outcome.is_empty(), "{quota}");
            assert!((1..=i64::MAX as u64).contains(&row.number), "{quota}");
            let paced = matches!(row.unit, Unit::PerMinute | Unit::PerHour | Unit::PerDay);
            assert!(!paced || u32::try_from(row.number).is_ok(), "{quota}");
            let refuses = row.outcome.contains("refused") || row.outcome.contains("ended");
            assert_eq!(refuses, !row.reason.is_empty(), "{quota}");
        }
    }

    #[test]
    fn numbers_are_read_by_people() {
        for (unit, number, words) in [
            (Unit::Bytes, 4 << 20, "4 MiB"),
            (Unit::Bytes, 1 << 30, "1 GiB"),
            (Unit::Bytes, 1_500, "1500 bytes"),
            (Unit::Items, 8, "8"),
            (Unit::PerMinute, 600, "600 in a minute"),
            (Unit::Days, 30, "30 days"),
        ] {
            assert_eq!(unit.words(number), words);
        }
    }

    #[test]
    fn spans_and_paces() {
        assert_eq!(Quota::OfferDays.span(), Duration::from_secs(30 * 24 * 3600));
        assert_eq!(Quota::ClaimsOfPeer.pace(), Pace::per_day(8));
    }
}
