//! Two regions learn that they know the same person or company; a third learns nothing.

mod claims;
pub mod stage;
mod weighed;

use raccordo_core::matching::event::Told;
use raccordo_core::matching::life::Word;
use raccordo_core::object::Kind;
use raccordo_core::trust::state::TrustChange;
use raccordo_node::app::account::session::Use;
use raccordo_node::app::directory::Operator;
use raccordo_node::app::matching::decide::Decision;
use raccordo_node::app::matching::waiting::waiting;
use raccordo_node::app::matching::{decide, list, stops};
use raccordo_node::app::register::erase;
use raccordo_node::app::withdraw::withdraw;

use stage::{LAZIO, Stage, TOSCANA, UMBRIA, company, kamal, kamal_otherwise, person};

#[tokio::test]
async fn the_same_person_is_found_confirmed_and_linked() {
    let mut stage = Stage::of_three().await;
    let at_toscana = stage.add(TOSCANA, kamal()).await;
    let at_umbria = stage.add(UMBRIA, kamal_otherwise()).await;
    let object = stage.share(TOSCANA, at_toscana, Kind::Case).await;
    stage.run().await;
    let (here, there) = (stage.only(TOSCANA).await, stage.only(UMBRIA).await);
    assert_eq!(here.row.id, there.row.id);
    assert_eq!((here.row.record, there.row.record), (at_toscana, at_umbria));
    assert_eq!((here.row.ours, there.row.theirs), (object, object));
    assert_eq!((here.row.grade.as_str(), here.row.state.as_str()), ("A", "candidate"));
    let families = "name_birth name_start_birth names_year names_day initials_birth";
    assert_eq!(here.row.families, families);
    assert!(here.row.reasons.starts_with("name:"), "{}", here.row.reasons);
    assert!(here.row.strength > 85, "{}", here.row.strength);
    assert_eq!(here.row.families, there.row.families);
    assert!(here.row.seen && there.row.seen, "each has computed it by itself");
    assert!(here.contact.is_none() && there.contact.is_none());
    assert!(stage.matches(LAZIO).await.is_empty());

    stage.decide(TOSCANA, here.row.id, Decision::Confirm).await.unwrap();
    let waiting = stage.only(TOSCANA).await;
    assert_eq!((waiting.row.state.as_str(), waiting.coming), ("candidate", Some("confirmed_here")));
    stage.run().await;
    assert_eq!(stage.states().await, ["confirmed_here", "confirmed_there"]);
    stage.decide(UMBRIA, here.row.id, Decision::Confirm).await.unwrap();
    stage.run().await;
    assert_eq!(stage.states().await, ["linked", "linked"]);
    let contact = stage.only(UMBRIA).await.contact.unwrap();
    assert_eq!(contact.name.reveal(), "Anna");
    assert_eq!(contact.work_phone.reveal(), "+39 055 0");
    let contact = stage.only(TOSCANA).await.contact.unwrap();
    assert_eq!(contact.work_phone.reveal(), "+39 055 1");

    let answer = Decision::Answer(Word::CallMe);
    stage.decide(UMBRIA, here.row.id, answer).await.unwrap();
    stage.run().await;
    assert_eq!(stage.only(TOSCANA).await.row.said_there, "call_me");
    stage.decide(TOSCANA, here.row.id, Decision::Unlink).await.unwrap();
    stage.run().await;
    assert_eq!(stage.states().await, ["unlinked_here", "unlinked_there"]);
    assert!(stage.only(UMBRIA).await.contact.is_none());
    stage.settled().await;
}

#[tokio::test]
async fn what_waits_for_people() {
    let mut stage = Stage::matched().await;
    let other = stage.employ(TOSCANA, "union", "case_manager").await;
    let far = stage.employ(TOSCANA, "secretariat", "secretariat").await;
    let frontline = stage.employ(TOSCANA, "ambito", "frontline").await;
    let id = stage.only(TOSCANA).await.row.id;
    let waits = async |stage: &Stage, member: usize, operator: &Operator| {
        let mut tx = stage.node(member).store.read().await.unwrap();
        let found = waiting(stage.node(member), &mut *tx, operator).await.unwrap();
        (found.undecided, found.unanswered)
    };
    let own =
        async |stage: &Stage, member: usize| waits(stage, member, stage.operator(member)).await;
    assert_eq!((own(&stage, TOSCANA).await, own(&stage, UMBRIA).await), ((1, 0), (1, 0)));
    assert_eq!(waits(&stage, TOSCANA, &other).await, (0, 0), "of another organisation");
    assert_eq!(waits(&stage, TOSCANA, &far).await, (1, 0), "works for the whole region");
    assert_eq!(waits(&stage, TOSCANA, &frontline).await, (0, 0), "decides nothing");
    stage.decide(TOSCANA, id, Decision::Confirm).await.unwrap();
    assert_eq!(own(&stage, TOSCANA).await, (0, 0), "though the log does not show it yet");
    stage.run().await;
    assert_eq!((own(&stage, TOSCANA).await, own(&stage, UMBRIA).await), ((0, 0), (1, 0)));
    stage.decide(UMBRIA, id, Decision::Confirm).await.unwrap();
    stage.run().await;
    assert_eq!((own(&stage, TOSCANA).await, own(&stage, UMBRIA).await), ((0, 1), (0, 1)));
    stage.decide(TOSCANA, id, Decision::Answer(Word::CallMe)).await.unwrap();
    assert_eq!(own(&stage, TOSCANA).await, (0, 0));
    stage.run().await;
    assert_eq!((own(&stage, TOSCANA).await, own(&stage, UMBRIA).await), ((0, 0), (0, 1)));
}

#[tokio::test]
async fn a_company_is_found_whichever_comes_first() {
    for shared_first in [true, false] {
        let mut stage = Stage::of_three().await;
        let at_toscana = stage.add(TOSCANA, company("Rossi S.r.l.")).await;
        if shared_first {
            stage.share(TOSCANA, at_toscana, Kind::Company).await;
            stage.run().await;
        }
        stage.add(UMBRIA, company("ROSSI srl in liquidazione")).await;
        stage.run().await;
        if !shared_first {
            stage.share(TOSCANA, at_toscana, Kind::Company).await;
            stage.run().await;
        }
        assert_eq!(stage.states().await, ["candidate", "candidate"], "{shared_first}");
        assert_eq!(
            stage.only(UMBRIA).await.row.families,
            "company_number company_name_place company_name"
        );
        stage.settled().await;
    }
}

#[tokio::test]
async fn both_sharing_make_one_match() {
    let mut stage = Stage::of_three().await;
    let at_toscana = stage.add(TOSCANA, kamal()).await;
    let at_umbria = stage.add(UMBRIA, kamal_otherwise()).await;
    stage.share(TOSCANA, at_toscana, Kind::Case).await;
    stage.run().await;
    let before = stage.only(UMBRIA).await.row;
    // Shared under the name that the match knows it by.
    assert_eq!(stage.share(UMBRIA, at_umbria, Kind::Case).await, before.ours);
    stage.run().await;
    assert_eq!(stage.only(UMBRIA).await.row, before);
    assert!(stage.only(TOSCANA).await.shared);
    stage.settled().await;
}

#[tokio::test]
async fn both_sharing_at_once_make_one_match() {
    let mut stage = Stage::of_three().await;
    for (member, who) in [(TOSCANA, kamal()), (UMBRIA, kamal_otherwise())] {
        let record = stage.add(member, who).await;
        stage.share(member, record, Kind::Case).await;
    }
    stage.run().await;
    assert_eq!(stage.only(TOSCANA).await.row.id, stage.only(UMBRIA).await.row.id);
    assert_eq!(stage.states().await, ["candidate", "candidate"]);
    stage.settled().await;
}

#[tokio::test]
async fn decisions_race_and_both_see_the_same() {
    let mut stage = Stage::matched().await;
    let id = stage.only(TOSCANA).await.row.id;
    stage.decide(TOSCANA, id, Decision::Confirm).await.unwrap();
    stage.decide(UMBRIA, id, Decision::Deny).await.unwrap();
    stage.run().await;
    let states = stage.states().await;
    assert!(states == ["denied_there", "denied_here"], "{states:?}");
    let over = stage.decide(TOSCANA, id, Decision::Confirm).await.unwrap_err();
    assert_eq!(over.reason, "match_over");
    // Denied once is denied: what agrees as before opens nothing.
    let again = stage.only(UMBRIA).await.row.record;
    stage.tokens(UMBRIA, again).await;
    stage.run().await;
    assert_eq!(stage.states().await, ["denied_there", "denied_here"]);
    stage.settled().await;
}

#[tokio::test]
async fn what_is_decided_twice_is_decided_once() {
    let mut stage = Stage::matched().await;
    let id = stage.only(TOSCANA).await.row.id;
    for _ in 0..2 {
        stage.decide(TOSCANA, id, Decision::Confirm).await.unwrap();
    }
    stage.run().await;
    stage.decide(TOSCANA, id, Decision::Confirm).await.unwrap();
    for (decision, reason) in [
        (Decision::Unlink, "match_not_linked"),
        (Decision::Answer(Word::CallMe), "match_not_linked"),
    ] {
        let refused = stage.decide(TOSCANA, id, decision).await.unwrap_err();
        assert_eq!(refused.reason, reason);
    }
    stage.run().await;
    assert_eq!(stage.states().await, ["confirmed_here", "confirmed_there"]);
}

#[tokio::test]
async fn who_has_no_phone_does_not_confirm() {
    let stage = Stage::matched().await;
    stage.forget_phone(TOSCANA).await;
    let id = stage.only(TOSCANA).await.row.id;
    let refused = stage.decide(TOSCANA, id, Decision::Confirm).await.unwrap_err();
    assert_eq!(refused.reason, "no_work_phone");
    stage.decide(TOSCANA, id, Decision::Deny).await.unwrap();
}

#[tokio::test]
async fn other_organisations_and_roles_see_nothing() {
    let mut stage = Stage::matched().await;
    let id = stage.only(TOSCANA).await.row.id;
    for (class, role, expected) in [
        ("access_point", "case_manager", "no_such_match"),
        ("access_point", "frontline", "role_not_allowed"),
        ("access_point", "auditor", "role_not_allowed"),
        ("police", "case_manager", "role_not_allowed"),
        ("access_point", "secretariat", "done"),
    ] {
        let other = stage.employ(TOSCANA, class, role).await;
        let node = stage.node(TOSCANA);
        let done = decide::decide(node, &other, id, Decision::Deny).await;
        let reason = done.map(drop).map_err(|fault| fault.reason).err().unwrap_or("done");
        assert_eq!(reason, expected, "{class} {role}");
        let shown = list::show(node, &other, id, Use::Person).await;
        assert_eq!(shown.is_ok(), expected == "done", "{class} {role}");
    }
    stage.run().await;
}

#[tokio::test]
async fn a_withdrawn_alert_takes_its_match_with_it() {
    let mut stage = Stage::matched().await;
    let object = stage.only(TOSCANA).await.row.ours;
    let operator = stage.operator(TOSCANA).clone();
    withdraw(stage.node(TOSCANA), &operator, object, "resolved").await.unwrap();
    stage.run().await;
    assert_eq!(stage.states().await, Vec::<String>::new());
    for member in [UMBRIA, LAZIO] {
        assert_eq!(stage.received_tags(member, object).await, 0);
    }
    stage.settled().await;
}

#[tokio::test]
async fn an_expired_alert_takes_its_match_with_it() {
    let stage = Stage::matched().await;
    stage.expire_all().await;
    assert_eq!(stage.states().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_erased_record_ends_its_matches() {
    for member in [TOSCANA, UMBRIA] {
        let mut stage = Stage::matched().await;
        let object = stage.only(TOSCANA).await.row.ours;
        let case = stage.case(member).await;
        let secretary = stage.employ(member, "access_point", "secretariat").await;
        erase::person_of(stage.node(member), &secretary, case).await.unwrap();
        stage.run().await;
        assert!(stage.matches(member).await.is_empty());
        if member == TOSCANA {
            // The alert about the record is withdrawn, and takes what was found by it along.
            assert!(stage.matches(UMBRIA).await.is_empty());
            assert_eq!(stage.received_tags(UMBRIA, object).await, 0);
            for at in [TOSCANA, UMBRIA, LAZIO] {
                let known = stage.node(at).store.read().await.unwrap().object(object).await;
                let known = known.unwrap().unwrap();
                assert_eq!((&*known.state, &*known.end_reason), ("withdrawn", "erased"), "{at}");
                assert!(known.sealed_share.is_empty() && known.sealed_author.is_empty());
            }
        } else {
            // Umbria had shared nothing: its record was only named in the match.
            assert_eq!(stage.only(TOSCANA).await.row.state, "denied_there");
        }
        stage.settled().await;
    }
}

/// Where making tags stands is an id of a record: it must not be that of one who is gone.
#[tokio::test]
async fn tagging_that_stands_at_an_erased_record_begins_anew() {
    let mut stage = Stage::matched().await;
    let case = stage.case(TOSCANA).await;
    let secretary = stage.employ(TOSCANA, "access_point", "secretariat").await;
    let store = stage.node(TOSCANA).store.clone();
    let lineage = store.read().await.unwrap().equipes().await.unwrap()[0].lineage;
    let record = store.read().await.unwrap().register_case(case).await.unwrap().unwrap().record;
    let mut tx = store.write().await.unwrap();
    let mut pairs = tx.pairs(lineage).await.unwrap();
    assert!(!pairs.is_empty());
    for row in &mut pairs {
        assert_eq!((row.tagged, row.tagged_until), (true, None), "nothing is kept of the end");
        (row.tagged, row.tagged_until) = (false, Some(record));
        tx.put_pair(row.clone()).await.unwrap();
    }
    tx.commit().await.unwrap();
    erase::person_of(stage.node(TOSCANA), &secretary, case).await.unwrap();
    for row in store.read().await.unwrap().pairs(lineage).await.unwrap() {
        assert_eq!((row.tagged, row.tagged_until), (false, None));
    }
    stage.run().await;
    stage.settled().await;
}

#[tokio::test]
async fn a_record_that_is_erased_takes_back_what_was_just_found() {
    for sent in [false, true] {
        let mut stage = Stage::of_three().await;
        let at_toscana = stage.add(TOSCANA, kamal()).await;
        stage.add(UMBRIA, person("Sylla", "Mamadou", "1988-05-06", "")).await;
        stage.share(TOSCANA, at_toscana, Kind::Case).await;
        stage.run().await;
        let found = stage.add(UMBRIA, kamal_otherwise()).await;
        let waiting = stage.own_events(UMBRIA).await;
        assert!(matches!(&waiting[..], [Told::Found { tags, .. }] if !tags.is_empty()));
        if sent {
            stage.send(UMBRIA).await;
        }
        let case = stage.case_of(UMBRIA, found).await;
        let secretary = stage.employ(UMBRIA, "access_point", "secretariat").await;
        erase::person_of(stage.node(UMBRIA), &secretary, case).await.unwrap();
        assert_eq!(stage.own_events(UMBRIA).await, [Told::Denied]);
        stage.run().await;
        assert!(stage.matches(UMBRIA).await.is_empty());
        let known = stage.matches(TOSCANA).await.into_iter().map(|view| view.row.state);
        let known: Vec<String> = known.collect();
        assert_eq!(known, if sent { vec!["denied_there"] } else { vec![] }, "sent: {sent}");
        stage.settled().await;
    }
}

#[tokio::test]
async fn stopped_values_find_nothing() {
    for stopped in [false, true] {
        let mut stage = Stage::of_three().await;
        if stopped {
            let secretary = stage.employ(UMBRIA, "access_point", "secretariat").await;
            let value = raccordo_core::secret::Secret::new("+39 06 12345678".to_owned());
            let added = stops::add(stage.node(UMBRIA), &secretary, "phone", &[value]).await;
            assert_eq!(added.unwrap().added, 1);
            let listed = stops::all(stage.node(UMBRIA), &secretary).await.unwrap();
            assert_eq!(listed[0].value.reveal(), "+390612345678");
        }
        let phone = "0612345678";
        let at_toscana = stage.add(TOSCANA, person("Sylla", "Mamadou", "1988-05-06", phone)).await;
        stage.add(UMBRIA, person("Rahman", "Abdul", "1979-09-10", phone)).await;
        stage.share(TOSCANA, at_toscana, Kind::Case).await;
        stage.run().await;
        assert_eq!(stage.matches(UMBRIA).await.len(), usize::from(!stopped));
        assert_eq!(stage.matches(TOSCANA).await.len(), usize::from(!stopped));
    }
}

#[tokio::test]
async fn a_phone_of_many_is_no_evidence() {
    let mut stage = Stage::of_three().await;
    let phone = "0612345678";
    for day in 10..16 {
        let born = format!("1979-09-{day}");
        stage.add(UMBRIA, person("Rahman", "Abdul", &born, phone)).await;
    }
    let at_toscana = stage.add(TOSCANA, person("Sylla", "Mamadou", "1988-05-06", phone)).await;
    stage.share(TOSCANA, at_toscana, Kind::Case).await;
    stage.run().await;
    assert!(stage.matches(UMBRIA).await.is_empty());
}

#[tokio::test]
async fn a_restart_between_any_two_turns_changes_nothing() {
    let mut stage = Stage::of_three().await;
    let at_toscana = stage.add(TOSCANA, kamal()).await;
    stage.add(UMBRIA, kamal_otherwise()).await;
    stage.share(TOSCANA, at_toscana, Kind::Case).await;
    stage.run_with_restarts().await;
    let id = stage.only(TOSCANA).await.row.id;
    stage.decide(TOSCANA, id, Decision::Confirm).await.unwrap();
    stage.decide(UMBRIA, id, Decision::Confirm).await.unwrap();
    stage.run_with_restarts().await;
    assert_eq!(stage.states().await, ["linked", "linked"]);
    assert!(stage.only(TOSCANA).await.contact.is_some());
    assert!(stage.only(UMBRIA).await.contact.is_some());
    stage.settled().await;
}

#[tokio::test]
async fn who_gets_a_phone_after_the_link_is_told_again() {
    let mut stage = Stage::linked().await;
    assert_eq!(stage.phone_at(UMBRIA).await.as_deref(), Some("+39 055 0"));
    stage.set_phone(TOSCANA, "+39 055 77").await;
    stage.run().await;
    assert_eq!(stage.phone_at(UMBRIA).await.as_deref(), Some("+39 055 77"));
    // The same again says nothing.
    let before = stage.entries(TOSCANA).await;
    stage.set_phone(TOSCANA, "+39 055 77").await;
    stage.run().await;
    assert_eq!(stage.entries(TOSCANA).await, before);
    assert_eq!(stage.phone_at(TOSCANA).await.as_deref(), Some("+39 055 1"));
    stage.settled().await;
}

#[tokio::test]
async fn a_match_found_while_the_peer_was_not_trusted_is_told_once_it_is() {
    let mut stage = Stage::of_three().await;
    let at_toscana = stage.add(TOSCANA, kamal()).await;
    stage.add(UMBRIA, kamal_otherwise()).await;
    stage.run().await;
    stage.trust(UMBRIA, TOSCANA, TrustChange::Suspend).await;
    stage.share(TOSCANA, at_toscana, Kind::Case).await;
    stage.run().await;
    assert_eq!(stage.states().await, Vec::<String>::new());
    stage.trust(UMBRIA, TOSCANA, TrustChange::Verify).await;
    stage.run().await;
    assert_eq!(stage.states().await, ["candidate", "candidate"]);
}

#[tokio::test]
async fn what_ended_after_the_backup_ends_again_and_what_was_confirmed_is_asked_again() {
    for (last, restored, other) in [
        (None, "confirmed_there", "linked"),
        (Some(Decision::Unlink), "unlinked_here", "unlinked_there"),
    ] {
        let mut stage = Stage::matched().await;
        let id = stage.only(UMBRIA).await.row.id;
        let backup = stage.disk(UMBRIA);
        for member in [TOSCANA, UMBRIA] {
            stage.decide(member, id, Decision::Confirm).await.unwrap();
        }
        stage.run().await;
        if let Some(last) = last {
            stage.decide(UMBRIA, id, last).await.unwrap();
            stage.run().await;
        }
        stage.restore(UMBRIA, &backup).await;
        assert_eq!(stage.states().await, [other, restored]);
        if last.is_none() {
            assert_eq!(stage.phone_at(UMBRIA).await, None);
            stage.decide(UMBRIA, id, Decision::Confirm).await.unwrap();
            stage.run().await;
            assert_eq!(stage.states().await, ["linked", "linked"]);
            assert_eq!(stage.phone_at(UMBRIA).await.as_deref(), Some("+39 055 0"));
        }
    }
}

#[tokio::test]
async fn a_match_found_after_the_backup_is_found_again() {
    let mut stage = Stage::of_three().await;
    let at_umbria = stage.add(UMBRIA, kamal_otherwise()).await;
    stage.share(UMBRIA, at_umbria, Kind::Case).await;
    stage.run().await;
    let backup = stage.disk(UMBRIA);
    stage.add(TOSCANA, kamal()).await;
    stage.run().await;
    let found = stage.only(UMBRIA).await.row;
    stage.restore(UMBRIA, &backup).await;
    assert_eq!(stage.only(UMBRIA).await.row.id, found.id);
    assert_eq!(stage.states().await, ["candidate", "candidate"]);
}
