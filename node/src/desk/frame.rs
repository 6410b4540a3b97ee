//! What stands around the content of every page of somebody who has signed in.

use super::gate::Visitor;
use super::words::Words;

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
    /// Which part of the navigation this is.
    pub here: &'static str,
    /// Where the switch of the language comes back to.
    pub path: String,
}

impl Frame {
    /// The frame of a page.
    pub fn new(visitor: &Visitor, here: &'static str, path: impl Into<String>) -> Self {
        Self {
            words: visitor.words,
            name: visitor.operator.name.reveal().clone(),
            organisation: visitor.operator.organisation_name.clone(),
            form: visitor.form_token().to_owned(),
            here,
            path: path.into(),
        }
    }
}
