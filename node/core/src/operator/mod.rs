//! Operators: roles, classes of their organisations, and the one table of what they may do.
//!
//! The API, the desk and the receiver of an event all ask [`may`]; nobody else decides.

mod token;

use std::fmt;
use std::str::FromStr;

use crate::object::Subject;

pub use token::{Token, TokenError, TokenLookup};

/// The text names no role or class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// Not one of [`Role::ALL`].
    #[error(
        "a role is frontline, case_manager, secretariat, coordinator, auditor or administrator"
    )]
    Role,
    /// Not one of [`Class::ALL`].
    #[error("not an organisation class; `raccordo codes list organisation_class` shows them")]
    Class,
}

macro_rules! named {
    ($(#[$doc:meta])* $Name:ident, $error:expr, {$($(#[$item:meta])* $Item:ident = $text:literal,)*}) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $Name {
            $($(#[$item])* $Item,)*
        }

        impl $Name {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$Item,)*];

            /// The name on the wire, in the database and on the command line.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Item => $text,)*
                }
            }
        }

        impl FromStr for $Name {
            type Err = OperatorError;

            fn from_str(text: &str) -> Result<Self, OperatorError> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text).ok_or($error)
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

named!(
    /// What an operator does in its organisation (DESIGN §1).
    Role, OperatorError::Role, {
        /// Meets people: outreach, desks.
        Frontline = "frontline",
        /// Answers for cases.
        CaseManager = "case_manager",
        /// The technical secretariat: routing and first assessment.
        Secretariat = "secretariat",
        /// Coordinates an équipe for its region.
        Coordinator = "coordinator",
        /// Reads the audit, and no bodies.
        Auditor = "auditor",
        /// Runs the node and its trust, and reads no bodies.
        Administrator = "administrator",
    }
);

named!(
    /// The class of an organisation, which limits what it may see; the list
    /// `organisation_class` holds the labels.
    Class, OperatorError::Class, {
        /// Single access point (PUA).
        AccessPoint = "access_point",
        /// Social-services ambito.
        Ambito = "ambito",
        /// Technical secretariat.
        Secretariat = "secretariat",
        /// Anti-trafficking body.
        AntiTrafficking = "anti_trafficking",
        /// Union.
        Union = "union",
        /// Third-sector body.
        ThirdSector = "third_sector",
        /// Legal service.
        Legal = "legal",
        /// Health service.
        Health = "health",
        /// Shelter.
        Shelter = "shelter",
        /// Municipality.
        Municipality = "municipality",
        /// Region.
        Region = "region",
        /// Labour inspectorate: an authority.
        LabourInspectorate = "labour_inspectorate",
        /// Police: an authority.
        Police = "police",
        /// Prosecutor: an authority.
        Prosecutor = "prosecutor",
        /// Employers' association.
        EmployersAssociation = "employers_association",
        /// Research.
        Research = "research",
    }
);

/// Something an operator may want to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// See which équipes there are.
    ListEquipes,
    /// Share an alert about such a subject, or correct an own one.
    ShareAlert(Subject),
    /// List and open alerts about such a subject, own and received.
    ReadAlert(Subject),
    /// End an own alert about such a subject at every member.
    WithdrawAlert(Subject),
    /// Add a record about such a subject to the node's own register, with its cases.
    AddRecord(Subject),
    /// List, find and open such records of the register, and their cases.
    ReadRecord(Subject),
    /// Add many of them from a file.
    ImportRecords(Subject),
    /// Destroy such a record.
    EraseRecord(Subject),
    /// See matches of own records about such a subject.
    ReadMatch(Subject),
    /// Confirm, deny, unlink and answer them.
    DecideMatch(Subject),
    /// See and change the values that are no evidence.
    ManageStops,
    /// Verify and export the audit; it holds opaque ids only.
    ReadAudit,
    /// Change cards, pacts, équipes, and whom the hub serves.
    ManageTrust,
    /// Add and change organisations and operators.
    ManageOperators,
    /// Make and restore backups.
    ManageBackups,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 24] = [
        Self::ListEquipes,
        Self::ShareAlert(Subject::Person),
        Self::ShareAlert(Subject::Company),
        Self::ReadAlert(Subject::Person),
        Self::ReadAlert(Subject::Company),
        Self::WithdrawAlert(Subject::Person),
        Self::WithdrawAlert(Subject::Company),
        Self::AddRecord(Subject::Person),
        Self::AddRecord(Subject::Company),
        Self::ReadRecord(Subject::Person),
        Self::ReadRecord(Subject::Company),
        Self::ImportRecords(Subject::Person),
        Self::ImportRecords(Subject::Company),
        Self::EraseRecord(Subject::Person),
        Self::EraseRecord(Subject::Company),
        Self::ReadMatch(Subject::Person),
        Self::ReadMatch(Subject::Company),
        Self::DecideMatch(Subject::Person),
        Self::DecideMatch(Subject::Company),
        Self::ManageStops,
        Self::ReadAudit,
        Self::ManageTrust,
        Self::ManageOperators,
        Self::ManageBackups,
    ];

    /// Whose data the action shows or moves; `None` when it touches no body.
    fn subject(self) -> Option<Subject> {
        match self {
            Self::ShareAlert(subject)
            | Self::ReadAlert(subject)
            | Self::WithdrawAlert(subject)
            | Self::AddRecord(subject)
            | Self::ReadRecord(subject)
            | Self::ImportRecords(subject)
            | Self::EraseRecord(subject)
            | Self::ReadMatch(subject)
            | Self::DecideMatch(subject) => Some(subject),
            // Phones and places, of people among others.
            Self::ManageStops => Some(Subject::Person),
            Self::ListEquipes
            | Self::ReadAudit
            | Self::ManageTrust
            | Self::ManageOperators
            | Self::ManageBackups => None,
        }
    }
}

/// Whether an operator of this role, in an organisation of this class, may do this: its role
/// must allow the action, and its class the subject. The pact may narrow this, never widen it.
pub fn may(role: Role, class: Class, action: Action) -> bool {
    role_may(role, action) && action.subject().is_none_or(|subject| class_may(class, subject))
}

/// Whose records of the register an operator meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those of the operator's own organisation.
    Organisation,
    /// Those of every organisation of the node.
    Node,
}

/// How far a role reaches in the register: the secretariat and coordinators work for the whole
/// region, everybody else for one organisation.
pub fn reach(role: Role) -> Reach {
    match role {
        Role::Secretariat | Role::Coordinator => Reach::Node,
        Role::Frontline | Role::CaseManager | Role::Auditor | Role::Administrator => {
            Reach::Organisation
        }
    }
}

fn role_may(role: Role, action: Action) -> bool {
    match action {
        Action::ListEquipes => true,
        Action::ShareAlert(_)
        | Action::ReadAlert(_)
        | Action::AddRecord(_)
        | Action::ReadRecord(_)
        | Action::ReadMatch(_) => {
            matches!(
                role,
                Role::Frontline | Role::CaseManager | Role::Secretariat | Role::Coordinator
            )
        }
        Action::WithdrawAlert(_) | Action::ImportRecords(_) | Action::DecideMatch(_) => {
            matches!(role, Role::CaseManager | Role::Secretariat | Role::Coordinator)
        }
        Action::EraseRecord(_) => matches!(role, Role::CaseManager | Role::Secretariat),
        Action::ManageStops => matches!(role, Role::Secretariat | Role::Coordinator),
        Action::ReadAudit => matches!(role, Role::Auditor | Role::Administrator),
        Action::ManageTrust | Action::ManageOperators | Action::ManageBackups => {
            role == Role::Administrator
        }
    }
}

fn class_may(class: Class, subject: Subject) -> bool {
    match class {
        Class::AccessPoint
        | Class::Ambito
        | Class::Secretariat
        | Class::AntiTrafficking
        | Class::Union
        | Class::ThirdSector
        | Class::Legal
        | Class::Health
        | Class::Shelter
        | Class::Municipality
        | Class::Region => true,
        // Never a person-level object (CASEWORK rule 1, D10). Inspectorates work on companies
        // with the équipe (D6); what they learn of persons passes the gateway (rule 2).
        Class::EmployersAssociation | Class::LabourInspectorate => subject == Subject::Company,
        // Reached through the gateway only (rule 2), and by aggregates only (L7).
        Class::Police | Class::Prosecutor | Class::Research => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::CodeLists;

    /// One line per class, one column per role in the order of [`Role::ALL`], and in each the
    /// allowed actions in the order of [`Action::ALL`] by letter (capital: about persons).
    fn matrix() -> String {
        let letters = "lSsRrWwDdEeIiXxMmCcpatob";
        let cell = |role, class| -> String {
            let allowed = letters.chars().zip(Action::ALL);
            let allowed = allowed.filter(|(_, action)| may(role, class, *action));
            allowed.map(|(letter, _)| letter).collect()
        };
        let line = |class: &Class| {
            let cells: Vec<_> = Role::ALL.iter().map(|role| cell(*role, *class)).collect();
            format!("{class} {}\n", cells.join(" "))
        };
        Class::ALL.iter().map(line).collect()
    }

    #[test]
    fn the_table() {
        let expected = "\
access_point lSsRrDdEeMm lSsRrWwDdEeIiXxMmCc lSsRrWwDdEeIiXxMmCcp lSsRrWwDdEeIiMmCcp la latob
ambito lSsRrDdEeMm lSsRrWwDdEeIiXxMmCc lSsRrWwDdEeIiXxMmCcp lSsRrWwDdEeIiMmCcp la latob
secretariat lSsRrDdEeMm lSsRrWwDdEeIiXxMmCc lSsRrWwDdEeIiXxMmCcp lSsRrWwDdEeIiMmCcp la latob
anti_trafficking lSsRrDdEeMm lSsRrWwDdEeIiXxMmCc lSsRrWwDdEeIiXxMmCcp lSsRrWwDdEeIiMmCcp la latob
union lSsRrDdEeMm lSsRrWwDdEeIiXxMmCc lSsRrWwDdEeIiXxMmCcp lSsRrWwDdEeIiMmCcp la latob
third_sector lSsRrDdEeMm lSsRrWwDdEeIiXxMmCc lSsRrWwDdEeIiXxMmCcp lSsRrWwDdEeIiMmCcp la latob
legal lSsRrDdEeMm lSsRrWwDdEeIiXxMmCc lSsRrWwDdEeIiXxMmCcp lSsRrWwDdEeIiMmCcp la latob
health lSsRrDdEeMm lSsRrWwDdEeIiXxMmCc lSsRrWwDdEeIiXxMmCcp lSsRrWwDdEeIiMmCcp la latob
shelter lSsRrDdEeMm lSsRrWwDdEeIiXxMmCc lSsRrWwDdEeIiXxMmCcp lSsRrWwDdEeIiMmCcp la latob
municipality lSsRrDdEeMm lSsRrWwDdEeIiXxMmCc lSsRrWwDdEeIiXxMmCcp lSsRrWwDdEeIiMmCcp la latob
region lSsRrDdEeMm lSsRrWwDdEeIiXxMmCc lSsRrWwDdEeIiXxMmCcp lSsRrWwDdEeIiMmCcp la latob
labour_inspectorate lsrdem lsrwdeixmc lsrwdeixmc lsrwdeimc la latob
police l l l l la latob
prosecutor l l l l la latob
employers_association lsrdem lsrwdeixmc lsrwdeixmc lsrwdeimc la latob
research l l l l la latob
";
        assert_eq!(matrix(), expected);
    }

    #[test]
    fn only_regional_roles_reach_beyond_their_organisation() {
        let far = Role::ALL.iter().filter(|role| reach(**role) == Reach::Node);
        assert!(far.eq(&[Role::Secretariat, Role::Coordinator]));
    }

    #[test]
    fn names_read_what_they_write() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(*role));
        }
        assert_eq!("Frontline".parse::<Role>(), Err(OperatorError::Role));
        assert_eq!("bank".parse::<Class>(), Err(OperatorError::Class));
    }

    #[test]
    fn classes_are_those_of_the_list() {
        let lists = CodeLists::builtin();
        let entries = lists.list("organisation_class").unwrap().entries();
        let codes: Vec<_> = entries.iter().map(|code| code.code.as_str()).collect();
        assert_eq!(codes, Class::ALL.iter().map(|class| class.as_str()).collect::<Vec<_>>());
    }
}
