//! Alarms of an équipe: who can raise each, whether it holds cases, and what ends it.
//!
//! One table ([`rules`]) says so. The hold derives from it, and it is printed into the
//! documents. What a member alone can bring about holds nothing: else one of them could keep
//! all the others from sharing. What holds is what the hub is caught at, what all parties have
//! signed, or the state of this node itself.

mod rules;

use std::fmt;
use std::str::FromStr;

pub use rules::AlarmCode;

/// Whose word or act raises an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Two signatures of the hub that contradict each other.
    HubSignedTwice,
    /// What the hub itself shows or answers to this node, over a connection that is pinned to
    /// its key.
    Hub,
    /// A member, with the help of the hub.
    MemberWithHub,
    /// One member alone: by a message, a notice, or its silence.
    Member,
    /// The signatures of the parties on a statement.
    Parties,
    /// Another copy of this node, or whoever has its keys.
    Copy,
    /// This node itself: its disk, its clock, its administrator.
    ThisNode,
}

impl Origin {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::HubSignedTwice,
        Self::Hub,
        Self::MemberWithHub,
        Self::Member,
        Self::Parties,
        Self::Copy,
        Self::ThisNode,
    ];

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::HubSignedTwice => "the hub, by two signatures",
            Self::Hub => "the hub",
            Self::MemberWithHub => "a member together with the hub",
            Self::Member => "a member",
            Self::Parties => "the parties' signatures",
            Self::Copy => "a copy of this node",
            Self::ThisNode => "this node",
        }
    }
}

/// What ends an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// What follows in the log has come and was taken.
    LogGoesOn,
    /// Everything of which the hub has spoken has come.
    NothingWithheld,
    /// Another term of the hub: at another hub, or at the same one from the place that all
    /// have signed.
    HubTerm,
    /// The équipe goes on in another group.
    Successor,
    /// This node joins, or joins again.
    Join,
    /// The membership of the named member ends, or that of the named peer.
    Membership,
    /// The named member joins again.
    MemberReturns,
    /// The named member writes in the group again.
    MemberSpeaks,
    /// The named member does rightly what it did wrongly: a later echo of it agrees, it deals,
    /// answers or asks as it should.
    Amends,
    /// All who remain hold the change for void.
    Void,
    /// The request was followed, or can be followed no more.
    Request,
    /// The pact that the parties agreed on is here.
    Pact,
    /// The key is made, or shared anew.
    KeyMade,
    /// The administrators have compared the words again.
    Verified,
}

impl Ending {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::LogGoesOn,
        Self::NothingWithheld,
        Self::HubTerm,
        Self::Successor,
        Self::Join,
        Self::Membership,
        Self::MemberReturns,
        Self::MemberSpeaks,
        Self::Amends,
        Self::Void,
        Self::Request,
        Self::Pact,
        Self::KeyMade,
        Self::Verified,
    ];

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::LogGoesOn => "what follows in the log has come",
            Self::NothingWithheld => "what the hub spoke of has come",
            Self::HubTerm => "another hub term",
            Self::Successor => "another group",
            Self::Join => "this node joins again",
            Self::Membership => "the membership of who is named ends",
            Self::MemberReturns => "who is named joins again",
            Self::MemberSpeaks => "who is named writes in the group again",
            Self::Amends => "who is named does it rightly later",
            Self::Void => "the change is void",
            Self::Request => "the request is followed or overtaken",
            Self::Pact => "the pact has come",
            Self::KeyMade => "the key is made",
            Self::Verified => "the words are compared again",
        }
    }
}

/// What is laid down about an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlarmRule {
    /// Whose word or act raises it; any one of these alone.
    pub raised_by: &'static [Origin],
    /// Whether case-bearing sending is held while it stands.
    pub holds: bool,
    /// What ends it; any one of these.
    pub ends: &'static [Ending],
    /// What it means, for administrators.
    pub meaning: &'static str,
    /// What they do.
    pub action: &'static str,
}

impl AlarmRule {
    /// Whether this ends the alarm.
    pub fn is_ended_by(&self, ending: Ending) -> bool {
        self.ends.contains(&ending)
    }

    /// What ends it, for people: `A; B; or C`.
    pub fn endings(&self) -> String {
        let words: Vec<&str> = self.ends.iter().map(|ending| ending.words()).collect();
        words.join("; ")
    }
}

/// A word that is no alarm's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the code of an alarm")]
pub struct UnknownAlarm;

impl FromStr for AlarmCode {
    type Err = UnknownAlarm;

    fn from_str(word: &str) -> Result<Self, UnknownAlarm> {
        Self::ALL.iter().copied().find(|code| code.as_str() == word).ok_or(UnknownAlarm)
    }
}

impl fmt::Display for AlarmCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The whole table as the documents show it: Markdown, one row an alarm.
pub fn markdown() -> String {
    let mut table = String::from(
        "| code | raised by | holds | what it means | what to do | it ends when |\n\
         |---|---|---|---|---|---|\n",
    );
    for code in AlarmCode::ALL {
        let rule = code.rule();
        let origins: Vec<&str> = rule.raised_by.iter().map(|origin| origin.words()).collect();
        let (by, holds) = (origins.join("; "), if rule.holds { "yes" } else { "no" });
        let row = [code.as_str(), &by, holds, rule.meaning, rule.action, &rule.endings()];
        let [code, by, holds, meaning, action, ends] = row;
        table.push_str(&format!("| `{code}` | {by} | {holds} | {meaning} | {action} | {ends} |\n"));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A member alone can stop a group only where it leaves the group itself in a state that
    /// nobody can follow.
    #[test]
    fn what_a_member_alone_can_raise_holds_nothing() {
        let by_member = |code: &AlarmCode| code.rule().raised_by.contains(&Origin::Member);
        let holding: Vec<_> =
            AlarmCode::ALL.iter().filter(|code| by_member(code) && code.rule().holds).collect();
        assert_eq!(holding, [&AlarmCode::CommitUnprocessable]);
    }

    #[test]
    fn every_alarm_is_raised_by_somebody_and_ended_by_something() {
        for code in AlarmCode::ALL {
            let rule = code.rule();
            assert!(!rule.raised_by.is_empty() && !rule.ends.is_empty(), "{code}");
            assert!(!rule.meaning.is_empty() && !rule.action.is_empty(), "{code}");
            assert!(!rule.meaning.contains('|') && !rule.action.contains('|'), "{code}");
        }
    }

    /// What the hub alone brings about ends with its term at the latest: the members can always
    /// leave it.
    #[test]
    fn what_a_hub_alone_holds_ends_with_its_term() {
        let by_hub = [Origin::Hub, Origin::HubSignedTwice];
        for code in AlarmCode::ALL {
            let rule = code.rule();
            if rule.holds && rule.raised_by.iter().all(|origin| by_hub.contains(origin)) {
                assert!(rule.is_ended_by(Ending::HubTerm), "{code}");
            }
        }
    }

    /// What one member brings about ends with its membership at the latest.
    #[test]
    fn what_is_held_against_a_member_ends_with_it() {
        for code in AlarmCode::ALL.iter().filter(|code| code.names_member()) {
            assert!(code.rule().is_ended_by(Ending::Membership), "{code}");
        }
    }

    #[test]
    fn every_origin_and_ending_is_used_and_has_words_of_its_own() {
        let rules: Vec<_> = AlarmCode::ALL.iter().map(|code| code.rule()).collect();
        for origin in Origin::ALL {
            assert!(rules.iter().any(|rule| rule.raised_by.contains(&origin)), "{origin:?}");
            let same = Origin::ALL.iter().filter(|other| other.words() == origin.words());
            assert_eq!(same.count(), 1, "{origin:?}");
        }
        for ending in Ending::ALL {
            assert!(rules.iter().any(|rule| rule.is_ended_by(ending)), "{ending:?}");
            let same = Ending::ALL.iter().filter(|other| other.words() == ending.words());
            assert_eq!(same.count(), 1, "{ending:?}");
        }
    }

    #[test]
    fn codes_are_read_back() {
        for code in AlarmCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
        }
        assert_eq!("brand_new".parse::<AlarmCode>(), Err(UnknownAlarm));
    }

    #[test]
    fn the_documents_table_has_a_row_for_each() {
        let table = markdown();
        assert_eq!(table.lines().count(), AlarmCode::ALL.len() + 2);
        let row = table.lines().find(|line| line.starts_with("| `echo_disagrees` ")).unwrap();
        assert!(row.starts_with("| `echo_disagrees` | a member | no | "), "{row}");
    }
}
