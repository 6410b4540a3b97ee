//! The table itself: one entry an alarm.

use super::{AlarmRule, Ending, Origin};

/// Makes the codes and their rules of one list.
macro_rules! alarms {
    ($($code:ident = $word:literal {
        raised_by: [$($origin:ident),+],
        holds: $holds:literal,
        ends: [$($ending:ident),+],
        means: $meaning:literal,
        action: $action:literal,
    })+) => {
        /// Which alarm.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum AlarmCode {
            $(#[doc = $meaning] $code,)+
        }

        impl AlarmCode {
            /// All of them, in the order of the documents.
            pub const ALL: &'static [Self] = &[$(Self::$code),+];

            /// The stable word, snake case.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$code => $word,)+ }
            }

            /// What is laid down about it.
            pub fn rule(self) -> &'static AlarmRule {
                match self {
                    $(Self::$code => &AlarmRule {
                        raised_by: &[$(Origin::$origin),+],
                        holds: $holds,
                        ends: &[$(Ending::$ending),+],
                        meaning: $meaning,
                        action: $action,
                    },)+
                }
            }
        }
    };
}

alarms! {
    LogForked = "log_forked" {
        raised_by: [HubSignedTwice],
        holds: true,
        ends: [HubTerm, Successor],
        means: "The hub has signed two histories of the log at the named entry",
        action: "`raccordo audit export-proof EQUIPE --out FILE` writes the proof, if the detail says that it is kept; show it to the other members and agree by phone to [leave this hub](emergencies.md#a-lost-hub)",
    }
    LogRewritten = "log_rewritten" {
        raised_by: [Hub],
        holds: true,
        ends: [HubTerm, Successor],
        means: "The hub shows an entry again that this node has verified before, and it is another",
        action: "As for `log_forked`",
    }
    LogTruncated = "log_truncated" {
        raised_by: [HubSignedTwice],
        holds: true,
        ends: [HubTerm, Successor],
        means: "The hub says that its log ends before entries that it has delivered",
        action: "Ask its administrator whether it was restored from an old copy: then [a new term](emergencies.md#a-hub-that-was-put-back); else as for `log_forked`",
    }
    LogReordered = "log_reordered" {
        raised_by: [Hub],
        holds: true,
        ends: [HubTerm, Successor],
        means: "An entry that the hub had acknowledged stands elsewhere or again, or another stands in its place",
        action: "As for `log_forked`",
    }
    LogWithheld = "log_withheld" {
        raised_by: [Hub],
        holds: true,
        ends: [NothingWithheld, HubTerm, Successor],
        means: "The hub knows of entries that it does not deliver here",
        action: "Compare `sequence` and `head` with the other members; if it does not end by itself, [leave this hub](emergencies.md#a-lost-hub)",
    }
    LogBroken = "log_broken" {
        raised_by: [Hub],
        holds: true,
        ends: [LogGoesOn, HubTerm, Successor],
        means: "What the hub delivers does not continue the log that this node has verified. Nothing of it was taken, and the node asks again",
        action: "Compare `head` at one `sequence` with the other members. If theirs agree with each other, this node's database was changed or restored; if not, the hub shows different logs: agree by phone to [leave it](emergencies.md#a-lost-hub)",
    }
    CheckpointBad = "checkpoint_bad" {
        raised_by: [Hub],
        holds: true,
        ends: [LogGoesOn, HubTerm, Successor],
        means: "A statement of the hub about its log is not signed by it, or does not fit what it delivers. Nothing of it was taken, and the node asks again",
        action: "As for `log_broken`; keep the logs of both nodes as evidence",
    }
    SenderWrong = "sender_wrong" {
        raised_by: [Hub, MemberWithHub],
        holds: true,
        ends: [HubTerm, Successor],
        means: "An entry stands in the log under the name of a node that did not make it",
        action: "Ask the administrators of the hub and of the named node; then as for `log_forked`",
    }
    HubClockAhead = "hub_clock_ahead" {
        raised_by: [Hub],
        holds: false,
        ends: [LogGoesOn, HubTerm, Successor],
        means: "The hub's log is more than ten minutes ahead of this machine's clock. What is ahead waits, and nothing is lost; it is taken when this clock has come so far",
        action: "Compare this machine's clock with a third; if it is right, ask the hub's administrator to set the hub's, and agree on [a new term](emergencies.md#a-hub-whose-clock-is-ahead)",
    }
    OwnClockBehind = "own_clock_behind" {
        raised_by: [ThisNode],
        holds: false,
        ends: [LogGoesOn, HubTerm, Successor],
        means: "This machine's clock has gone back: the log's newest entries are more than ten minutes ahead of it, and this node itself or another hub has known a later time. What is ahead waits, and nothing is lost",
        action: "Set this machine's clock, and let it be kept by NTP; the node goes on by itself",
    }
    EchoDisagrees = "echo_disagrees" {
        raised_by: [Member],
        holds: false,
        ends: [Amends, Membership, MemberReturns, Join, HubTerm, Successor],
        means: "The named member says that it saw another log at the named entry, and the hub's signature is not with it. This node has asked it for one",
        action: "Compare `sequence` and `head` with that member. If the hub has signed both, the alarm becomes `log_forked`; if that member cannot show why it said so, its node is broken or lies: `raccordo equipe suspend NAME ID`",
    }
    EntryReplayed = "entry_replayed" {
        raised_by: [Member, Hub],
        holds: false,
        ends: [Membership, MemberReturns, Join, HubTerm, Successor],
        means: "An entry of the named member repeats what stood in the log before. Nothing is shown twice",
        action: "Ask its administrator whether a copy of the node runs; else suspect the hub",
    }
    OwnEntryUnknown = "own_entry_unknown" {
        raised_by: [Copy, Hub],
        holds: true,
        ends: [Join, Successor],
        means: "The log holds an entry that this node's keys made and that its database does not know: a second copy of the node runs, or an old copy of its disk was put back; or the hub has put a change of the membership into its name. The node is quarantined and sends nothing",
        action: "Find the copy and decide which one goes on; stop the other; if this one goes on: `raccordo equipe rejoin NAME`. If there is no copy, the keys are in other hands: call the other members, who suspend this node",
    }
    NeedsRejoin = "needs_rejoin" {
        raised_by: [ThisNode, Parties],
        holds: true,
        ends: [Join, Successor],
        means: "This node was restored, has given up its state, or went on beyond the last entry of a lost hub: it encrypts nothing until it has joined again",
        action: "Another party runs `raccordo equipe approve-rejoin NAME ID`; see [backup](backup.md#after-a-restoration)",
    }
    CommitUnprocessable = "commit_unprocessable" {
        raised_by: [Member, Hub],
        holds: true,
        ends: [Void, Join, Successor],
        means: "A change of the membership that the hub took cannot be processed here: the group itself has gone on, and this node cannot follow",
        action: "Call the other administrators. Where no node but its maker's can: each `raccordo equipe void NAME` ([emergencies](emergencies.md#a-change-that-nobody-can-follow)), then suspend its maker. Where only this one cannot: compare versions, `raccordo equipe rejoin NAME`, and another party approves",
    }
    WelcomeRefused = "welcome_refused" {
        raised_by: [Member, Hub, ThisNode],
        holds: false,
        ends: [Join, Successor],
        means: "What this node was given to join with does not fit what it signed, or was made for keys that it has no more, since its disk was put back; or cannot be read, or the hub has no tree for it",
        action: "Where the detail speaks of a key package, new ones are at the hub already: another party removes this node and adds it again; where it was a member before: `raccordo equipe rejoin NAME`. Else ask the chair and the hub's administrator, and compare versions",
    }
    PactUnknown = "pact_unknown" {
        raised_by: [Parties],
        holds: true,
        ends: [Pact, Join, Successor],
        means: "The parties agreed on a pact that never came to this node",
        action: "Ask another party to send it: `raccordo pact propose`; nothing is shared under the old one",
    }
    EntryRefused = "entry_refused" {
        raised_by: [Hub],
        holds: true,
        ends: [HubTerm, Join, Successor],
        means: "The hub refuses an entry of this node for ever",
        action: "The detail has the reason; with `not_a_member` the others have removed this node; else compare versions, and [leave this hub](emergencies.md#a-lost-hub): what it refused is sent again",
    }
    HubRemoved = "hub_removed" {
        raised_by: [Hub],
        holds: true,
        ends: [LogGoesOn, Join, HubTerm, Successor],
        means: "The hub says that this node is no member any more, and the log did not say so before",
        action: "Ask the other administrators; if they did not remove it, compare `head` with them",
    }
    HubUnknownGroup = "hub_unknown_group" {
        raised_by: [Hub],
        holds: true,
        ends: [LogGoesOn, Join, HubTerm, Successor],
        means: "The hub says that it does not carry this équipe, or serves it no longer",
        action: "Ask its administrator: `raccordo hub list`",
    }
    HubTrimmed = "hub_trimmed" {
        raised_by: [Hub],
        holds: true,
        ends: [LogGoesOn, Join, HubTerm, Successor],
        means: "The hub has thrown away entries that this node never received",
        action: "Ask the other members for what is missing; then `raccordo equipe rejoin NAME`, and another party approves",
    }
    CardForked = "card_forked" {
        raised_by: [Member],
        holds: false,
        ends: [Verified, Membership],
        means: "Two different cards of one serial are signed by a peer's identity key: the peer was restored or copied, or its key is in other hands. The peer is suspended, and so nothing is shared with it",
        action: "Call its administrator. If its node made both, it makes one more with `raccordo trust rotate`, and the words are compared again with `raccordo trust verify`; else `raccordo trust revoke`, and the parties remove it",
    }
    NoticeCannotProcess = "notice_cannot_process" {
        raised_by: [Member],
        holds: false,
        ends: [MemberSpeaks, Void, MemberReturns, Membership, Successor],
        means: "The named member says that it cannot process an entry",
        action: "Ask its administrator; alerts of that entry may be missing there",
    }
    NoticeRejoinRequest = "notice_rejoin_request" {
        raised_by: [Member],
        holds: false,
        ends: [Request, Membership, Successor],
        means: "The named member has lost its state and asks to join again",
        action: "Call its administrator: was it restored? Then `raccordo equipe approve-rejoin NAME ID`, once, at one party",
    }
    NoticeRevocation = "notice_revocation" {
        raised_by: [Member],
        holds: false,
        ends: [Verified, Membership],
        means: "The named member says that it suspended or revoked the named peer",
        action: "Ask why; consider `raccordo trust suspend`. It ends when that member has verified the peer again, or when either is no member any more",
    }
    NoticeLeave = "notice_leave" {
        raised_by: [Member],
        holds: false,
        ends: [Membership, Successor],
        means: "The named member says that it leaves",
        action: "Nothing; its own statement removes it",
    }
    NoticeVoid = "notice_void" {
        raised_by: [Member],
        holds: false,
        ends: [MemberSpeaks, Void, MemberReturns, Membership, Successor],
        means: "The named member holds a change for void that this node has processed",
        action: "Call its administrator: its node joins again with `raccordo equipe rejoin NAME`",
    }
    KeyCeremonyFailed = "key_ceremony_failed" {
        raised_by: [Member],
        holds: false,
        ends: [KeyMade],
        means: "A key for tokens was not made or shared anew: too few members took part. It is tried again by itself",
        action: "See `raccordo equipe keys NAME` for whom it waits, and call them. `doctor` says it too (`key_not_made`). A member that has lost its share for good, so that too few are left: `raccordo equipe rekey NAME`",
    }
    KeyLost = "key_lost" {
        raised_by: [Member],
        holds: false,
        ends: [KeyMade],
        means: "So few members have a share of the key that no tokens can be made: in an équipe of two, one came back without its share",
        action: "`raccordo equipe rekey NAME`, as `doctor` says: a new key, under which all tokens are made anew",
    }
    KeyDealingBad = "key_dealing_bad" {
        raised_by: [Member],
        holds: false,
        ends: [Amends, Membership],
        means: "The named member cheated while a key was made, or its program is broken. It was left out, and the key is good",
        action: "Ask its administrator; compare versions; if there is no explanation, `raccordo equipe suspend NAME ID`",
    }
    KeyDissent = "key_dissent" {
        raised_by: [Member],
        holds: false,
        ends: [Amends, Membership],
        means: "The named member agreed to another key than this node's log shows",
        action: "Compare `sequence` and `head` with it, as for `echo_disagrees`",
    }
    EvaluationBad = "evaluation_bad" {
        raised_by: [Member],
        holds: false,
        ends: [Amends, Membership],
        means: "The named member answered a request for tokens wrongly. Its answer was not used",
        action: "As for `key_dealing_bad`",
    }
    TokenBudgetExceeded = "token_budget_exceeded" {
        raised_by: [Member],
        holds: false,
        ends: [Amends, Membership],
        means: "The named member asked for more tokens than the pact allows in a day. Nobody answered",
        action: "Ask its administrator why: it may be a large import, or somebody who tries names out. If there is no explanation, `raccordo equipe suspend NAME ID`",
    }
    AuditWentBack = "audit_went_back" {
        raised_by: [Member],
        holds: false,
        ends: [MemberReturns, Membership],
        means: "The named member's audit chain does not continue what it signed before: its database was changed, or put back without joining again",
        action: "Tell its administrator, and send what this node has kept: `raccordo audit heads --node ID`; there `raccordo audit verify --against FILE` says from which record on the chain is another ([audit](#audit))",
    }
    HeartbeatOverdue = "heartbeat_overdue" {
        raised_by: [Member, Hub],
        holds: false,
        ends: [MemberSpeaks, Membership],
        means: "Three heartbeats of the named member have not come: its node is stopped or cut off, or the hub keeps back what it says. `doctor` says so, and `raccordo_members_silent` counts it",
        action: "Call its administrator; compare `sequence` and `head`",
    }
}

impl AlarmCode {
    /// Whether each is about one member, who is named: there may be one for each member.
    pub fn names_member(self) -> bool {
        matches!(
            self,
            Self::EchoDisagrees
                | Self::EntryReplayed
                | Self::CardForked
                | Self::NoticeCannotProcess
                | Self::NoticeRejoinRequest
                | Self::NoticeRevocation
                | Self::NoticeLeave
                | Self::NoticeVoid
                | Self::KeyDealingBad
                | Self::KeyDissent
                | Self::EvaluationBad
                | Self::TokenBudgetExceeded
                | Self::AuditWentBack
                | Self::HeartbeatOverdue
        )
    }

    /// Whether it is kept: one that is not kept is seen whenever somebody looks.
    pub fn is_kept(self) -> bool {
        self != Self::HeartbeatOverdue
    }
}
