//! Which hub term may follow another.

use crate::trust::statement::HubTerm;

/// A hub hands over to another one; who follows a lost hub may be the same, restored.
pub(super) fn is_next(before: &HubTerm, after: &HubTerm) -> bool {
    let begins = match after.is_planned() {
        true => after.hub != before.hub,
        false => before.first_sequence <= after.first_sequence,
    };
    before.term.checked_add(1) == Some(after.term) && begins
}

#[cfg(test)]
mod tests {
    use crate::id::Digest;
    use crate::trust::sample;
    use crate::trust::statement::Statement;
    use crate::trust::validator::tests::check_next;

    #[test]
    fn hub_terms_follow_each_other() {
        let (all, most) = (&[0, 1, 2], &[0, 1]);
        let planned = |it: &mut Statement| {
            it.hub.term = 2;
            it.hub.hub = "ponte".parse().unwrap();
            it.hub.first_sequence.0 = 0;
        };
        let lost = |it: &mut Statement| {
            it.hub.term = 2;
            it.hub.first_sequence.0 = 9;
            it.hub.head_before = Digest([7; 32]);
        };
        check_next(planned, all, "");
        check_next(planned, most, "signatures_missing");
        // Restored, the same hub goes on; it cannot hand over to itself.
        check_next(lost, all, "");
        check_next(lost, &[0], "signatures_missing");
        let to_itself = |it: &mut Statement| {
            it.hub.term = 2;
            it.hub.first_sequence.0 = 0;
        };
        check_next(to_itself, all, "hub_term_not_next");
        let again = |it: &mut Statement| {
            planned(it);
            it.hub.term = 1;
        };
        let first = Statement { version: 2, ..sample::next(&sample::statement(3)) };
        let mut bent = first.clone();
        again(&mut bent);
        assert!(bent.check().is_err(), "the first term begins at the first entry");
        let mut headed = first;
        planned(&mut headed);
        headed.hub.head_before = Digest([7; 32]);
        assert!(headed.check().is_err(), "a planned term names no end");
    }
}
