//! Every kind of object, declared in one place: fields with form and risk, retention,
//! transitions.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::State;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The text names no kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a kind is `case` or `company`")]
pub struct KindError;

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `CaseAlert`: a person's case in codes (CASEWORK D4).
    Case,
    /// `CompanyAlert`: a company in codes (CASEWORK D6).
    Company,
}

/// How much a value tells about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// 0: tells nothing.
    Safe,
    /// 1: coarse.
    Coarse,
    /// 2: a quasi-identifier: identifies in combination.
    Quasi,
    /// 3: identifying or dangerous.
    Identifying,
}

/// What a field holds, and the names of its code lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A date `YYYY-MM-DD`.
    Date,
    /// A month `YYYY-MM`.
    Month,
    /// A code of one of these lists.
    Code(&'static [&'static str]),
    /// At most so many different codes of these lists.
    Codes(&'static [&'static str], usize),
    /// True or false.
    Flag,
    /// A UUID with hyphens.
    Uuid,
    /// At most so many different UUIDs.
    Uuids(usize),
    /// At most so many tags.
    Tags(usize),
}

/// One field of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in canonical protobuf JSON.
    pub name: &'static str,
    /// What it holds.
    pub form: Form,
    /// Whether every alert must have it.
    pub required: bool,
    /// Risk class of ordinary values.
    pub risk: Risk,
    /// Risk class of its most telling values, such as a minority's.
    pub risk_max: Risk,
    /// Whether a new draft of a pact leaves it out, for the parties to add.
    pub by_decision: bool,
}

impl Field {
    const fn new(name: &'static str, form: Form, risk: Risk) -> Self {
        Self { name, form, required: false, risk, risk_max: risk, by_decision: false }
    }

    const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    const fn by_decision(self) -> Self {
        Self { by_decision: true, ..self }
    }

    const fn up_to(self, risk_max: Risk) -> Self {
        Self { risk_max, ..self }
    }
}

/// What happens to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// Its origin shares it, or a corrected version of it.
    Share,
    /// Its origin ends it.
    Withdraw,
    /// Its time is over.
    Expire,
    /// Its record and its copies are destroyed, on a subject's or an authority's order.
    Erase,
}

/// Who may cause a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The origin alone, by an operator whom `operator::may` allows to share.
    OriginShares,
    /// The origin alone, by an operator whom `operator::may` allows to withdraw.
    OriginWithdraws,
    /// The origin alone, by its node.
    OriginNode,
    /// Time, on every node by itself.
    Time,
}

/// One allowed change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// What happens.
    pub trigger: Trigger,
    /// The state before; `None`: the object is not known.
    pub from: Option<State>,
    /// The state after.
    pub to: State,
    /// Who may cause it.
    pub cause: Cause,
}

/// All that is declared about one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// The kind.
    pub kind: Kind,
    /// Its row in the casework tables.
    pub casework_row: &'static str,
    /// The name of its body in canonical protobuf JSON.
    pub body: &'static str,
    /// How long it lives where neither alert nor pact says less.
    pub retention: Duration,
    /// Its fields, in the order of the proto.
    pub fields: &'static [Field],
    /// Its transitions; what is not listed is refused.
    pub transitions: &'static [Transition],
}

impl Declaration {
    /// A field's JSON name with that of the body, such as `caseAlert.ageBand`.
    pub fn path(&self, field: &str) -> String {
        format!("{}.{field}", self.body)
    }
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Case, Self::Company];

    /// The name on the wire, in the database and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::Company => "company",
        }
    }

    /// Its declaration.
    pub fn declaration(self) -> &'static Declaration {
        match self {
            Self::Case => &CASE,
            Self::Company => &COMPANY,
        }
    }

    /// One of its fields, by JSON name.
    pub fn field(self, name: &str) -> Option<&'static Field> {
        self.declaration().fields.iter().find(|field| field.name == name)
    }
}

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(KindError)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Tags of 32 receivers with 16 tokens each come to 512; rare records have more tokens.
const TAGS: Form = Form::Tags(2048);

static CASE: Declaration = Declaration {
    kind: Kind::Case,
    casework_row: "D4",
    body: "caseAlert",
    retention: DAY.saturating_mul(365),
    fields: &[
        Field::new("issuedOn", Form::Date, Risk::Coarse).required(),
        Field::new("ageBand", Form::Code(&["age_band"]), Risk::Quasi),
        Field::new("gender", Form::Code(&["gender"]), Risk::Quasi).up_to(Risk::Identifying),
        Field::new("citizenship", Form::Codes(&["country", "world_region"], 5), Risk::Quasi)
            .up_to(Risk::Identifying),
        Field::new("languages", Form::Codes(&["language"], 10), Risk::Quasi),
        Field::new("legalPath", Form::Code(&["legal_path"]), Risk::Identifying).by_decision(),
        Field::new("traffickingStatus", Form::Code(&["trafficking_status"]), Risk::Coarse),
        Field::new("statusDecider", Form::Code(&["status_decider"]), Risk::Coarse),
        Field::new("exploitation", Form::Codes(&["exploitation"], 16), Risk::Coarse).required(),
        Field::new("recruitment", Form::Codes(&["recruitment"], 16), Risk::Quasi),
        Field::new("sector", Form::Code(&["ateco_division"]), Risk::Coarse).required(),
        Field::new("province", Form::Code(&["province"]), Risk::Coarse).required(),
        Field::new("comune", Form::Code(&["comune"]), Risk::Identifying).by_decision(),
        Field::new("month", Form::Month, Risk::Coarse),
        Field::new("iloIndicators", Form::Codes(&["ilo_indicator"], 16), Risk::Quasi),
        Field::new("indices603bis", Form::Codes(&["index_603bis"], 8), Risk::Quasi),
        Field::new("controlMethods", Form::Codes(&["control_method"], 32), Risk::Quasi),
        Field::new("severity", Form::Code(&["severity"]), Risk::Safe),
        Field::new("urgency", Form::Code(&["urgency"]), Risk::Safe),
        Field::new("needs", Form::Codes(&["need"], 32), Risk::Coarse),
        Field::new("minor", Form::Flag, Risk::Identifying).by_decision(),
        Field::new("contactSafety", Form::Codes(&["contact_safety"], 16), Risk::Quasi),
        Field::new("companyRefs", Form::Uuids(32), Risk::Identifying).by_decision(),
        Field::new("consentRef", Form::Uuid, Risk::Safe),
        Field::new("reliability", Form::Code(&["reliability"]), Risk::Safe),
        Field::new("tags", TAGS, Risk::Identifying),
    ],
    transitions: ALERT_TRANSITIONS,
};

static COMPANY: Declaration = Declaration {
    kind: Kind::Company,
    casework_row: "D6",
    body: "companyAlert",
    retention: DAY.saturating_mul(730),
    fields: &[
        Field::new("issuedOn", Form::Date, Risk::Coarse).required(),
        Field::new("soleTrader", Form::Flag, Risk::Identifying),
        Field::new("sector", Form::Code(&["ateco", "ateco_division"]), Risk::Quasi).required(),
        Field::new("province", Form::Code(&["province"]), Risk::Coarse).required(),
        Field::new("comune", Form::Code(&["comune"]), Risk::Quasi),
        Field::new("role", Form::Code(&["company_role"]), Risk::Coarse).required(),
        Field::new("iloIndicators", Form::Codes(&["ilo_indicator"], 16), Risk::Coarse),
        Field::new("indices603bis", Form::Codes(&["index_603bis"], 8), Risk::Coarse),
        Field::new("workersBand", Form::Code(&["workers_band"]), Risk::Coarse),
        Field::new("monthFrom", Form::Month, Risk::Coarse),
        Field::new("monthTo", Form::Month, Risk::Coarse),
        Field::new("sourceClass", Form::Code(&["source_class"]), Risk::Coarse)
            .up_to(Risk::Identifying)
            .by_decision(),
        Field::new("status", Form::Code(&["company_status"]), Risk::Coarse).required(),
        Field::new("investigationHold", Form::Flag, Risk::Identifying),
        Field::new("replyRight", Form::Code(&["reply_right"]), Risk::Coarse),
        Field::new("reliability", Form::Code(&["reliability"]), Risk::Safe),
        Field::new("tags", TAGS, Risk::Identifying),
    ],
    transitions: ALERT_TRANSITIONS,
};

/// Alerts of both kinds live alike.
const ALERT_TRANSITIONS: &[Transition] = &[
    transition(Trigger::Share, None, State::Active, Cause::OriginShares),
    transition(Trigger::Share, Some(State::Active), State::Active, Cause::OriginShares),
    transition(Trigger::Withdraw, Some(State::Active), State::Withdrawn, Cause::OriginWithdraws),
    transition(Trigger::Expire, Some(State::Active), State::Expired, Cause::Time),
    transition(Trigger::Erase, Some(State::Active), State::Erased, Cause::OriginNode),
    transition(Trigger::Erase, Some(State::Withdrawn), State::Erased, Cause::OriginNode),
    transition(Trigger::Erase, Some(State::Expired), State::Erased, Cause::OriginNode),
];

const fn transition(trigger: Trigger, from: Option<State>, to: State, cause: Cause) -> Transition {
    Transition { trigger, from, to, cause }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::CodeLists;

    fn lists_of(form: Form) -> &'static [&'static str] {
        match form {
            Form::Code(lists) | Form::Codes(lists, _) => lists,
            _ => &[],
        }
    }

    #[test]
    fn declared_lists_exist_and_fit() {
        let lists = CodeLists::builtin();
        for field in Kind::ALL.iter().flat_map(|kind| kind.declaration().fields) {
            assert!(field.risk <= field.risk_max, "{}", field.name);
            for name in lists_of(field.form) {
                assert!(lists.list(name).is_some(), "{name}");
            }
        }
    }

    /// The deserializer made from the proto names all fields when it meets another.
    fn check_proto<T: for<'a> serde::Deserialize<'a> + fmt::Debug>(kind: Kind) {
        let message = serde_json::from_str::<T>(r#"{"none":1}"#).unwrap_err().to_string();
        let quoted: Vec<_> = message.split('`').skip(3).step_by(2).collect();
        let json = quoted.into_iter().filter(|name| !name.contains('_'));
        assert!(json.eq(kind.declaration().fields.iter().map(|field| field.name)), "{message}");
    }

    #[test]
    fn fields_are_those_of_the_proto() {
        check_proto::<raccordo_proto::alert::v1::CaseAlert>(Kind::Case);
        check_proto::<raccordo_proto::alert::v1::CompanyAlert>(Kind::Company);
    }

    #[test]
    fn no_required_field_waits_for_a_decision() {
        for field in Kind::ALL.iter().flat_map(|kind| kind.declaration().fields) {
            assert!(!(field.required && field.by_decision), "{}", field.name);
        }
    }

    #[test]
    fn names_read_what_they_write() {
        assert_eq!("case".parse(), Ok(Kind::Case));
        assert_eq!("company".parse(), Ok(Kind::Company));
        assert_eq!("Case".parse::<Kind>(), Err(KindError));
        for kind in Kind::ALL {
            assert_eq!(kind.declaration().kind, kind);
        }
    }
}
