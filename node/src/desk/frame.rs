//! What stands around the content of every page of somebody who has signed in.

use raccordo_core::object::Subject;
use raccordo_core::operator::{Action, may};

use super::gate::Visitor;
use super::words::Words;
use crate::app::directory::Operator;

/// A part of the desk in the navigation.
pub(super) struct Part {
    /// Where it is.
    pub path: &'static str,
    /// What people call it.
    pub label: String,
    /// Whether the page belongs to it.
    pub here: bool,
}

/// Header and navigation.
pub(super) struct Frame {
    /// The language.
    pub words: Words,
    /// The operator's name.
    pub name: String,
    /// The operator's organisation.
    pub organisation: String,
    /// What every form carries.
    pub form: String,
    /// The parts that the operator may use.
    pub parts: Vec<Part>,
    /// From where on the page hears of changes.
    pub mark: String,
    /// Where the switch of the language comes back to.
    pub path: String,
}

impl Frame {
    /// The frame of a page that belongs to a part.
    pub fn new(visitor: &Visitor, here: &'static str, path: impl Into<String>) -> Self {
        let words = visitor.words;
        let parts = parts(&visitor.operator).into_iter();
        let parts =
            parts.map(|(name, path)| Part { path, label: words.t(name), here: name == here });
        Self {
            words,
            name: visitor.operator.name.reveal().clone(),
            organisation: visitor.operator.organisation_name.clone(),
            form: visitor.form_token().to_owned(),
            parts: parts.collect(),
            mark: visitor.mark.clone(),
            path: path.into(),
        }
    }
}

/// Name and address of what an operator may use; whoever types another address is refused by
/// the use case.
fn parts(operator: &Operator) -> Vec<(&'static str, &'static str)> {
    let may = |action| may(operator.role, operator.class, action);
    let any = |action: fn(Subject) -> Action| {
        may(action(Subject::Person)) || may(action(Subject::Company))
    };
    let all = [
        ("today", "/", true),
        ("alerts", "/alerts", any(Action::ReadAlert)),
        ("matches", "/matches", any(Action::ReadMatch)),
        ("register", "/register", any(Action::ReadRecord)),
        ("share", "/share", any(Action::ShareAlert)),
        ("overview", "/map", any(Action::ReadAlert)),
        ("node", "/node", may(Action::ManageTrust)),
        ("activity", "/activity", true),
    ];
    all.into_iter().filter(|(.., open)| *open).map(|(name, path, _)| (name, path)).collect()
}

#[cfg(test)]
mod tests {
    use raccordo_core::id::{OperatorId, OrganisationId};
    use raccordo_core::operator::{Class, Role};
    use raccordo_core::secret::Secret;

    use super::*;

    fn check(role: Role, class: Class, expected: &str) {
        let operator = Operator {
            id: OperatorId(uuid::Uuid::from_bytes([1; 16])),
            name: Secret::new("Anna".to_owned()),
            role,
            organisation: OrganisationId(uuid::Uuid::from_bytes([2; 16])),
            organisation_name: "Sportello".to_owned(),
            class,
            enabled: true,
        };
        let names: Vec<_> = parts(&operator).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names.join(" "), expected, "{role} {class}");
    }

    #[test]
    fn who_sees_which_parts() {
        let all = "today alerts matches register share overview activity";
        check(Role::CaseManager, Class::AccessPoint, all);
        check(Role::Frontline, Class::EmployersAssociation, all);
        check(Role::CaseManager, Class::Police, "today activity");
        check(Role::Auditor, Class::Region, "today activity");
        check(Role::Administrator, Class::Region, "today node activity");
    }
}
