//! What only the counterpart says of a match.

use std::collections::BTreeSet;

use raccordo_core::evidence::facts::Facts;
use raccordo_core::evidence::family::Family;
use raccordo_core::id::ObjectId;
use raccordo_core::matching::event::Told;
use raccordo_core::matching::grade::Grade;
use raccordo_core::matching::life::{Match, State};
use raccordo_core::matching::shown::{Background, RegisterSize};
use raccordo_core::object::Kind;
use raccordo_core::pseudonym::token::Tag;

use super::stage::{LAZIO, Stage, TOSCANA, UMBRIA, kamal, kamal_otherwise, person};

/// Lazio says that it has found what Toscana shared, and has no such record: neither the word
/// alone nor the tags that Toscana itself has shown make more of it than a question.
#[tokio::test]
async fn what_only_the_counterpart_says_is_shown_as_that_and_is_never_grade_a() {
    let mut stage = Stage::of_three().await;
    let record = stage.add(TOSCANA, kamal()).await;
    // It shares a secret with Toscana, and so has tokens of its own.
    stage.add(LAZIO, person("Sylla", "Mamadou", "1988-05-06", "")).await;
    let theirs = stage.share(TOSCANA, record, Kind::Case).await;
    stage.run().await;
    let (echoed, families) = (stage.tags_at(LAZIO, theirs).await, BTreeSet::from([Family::Phone]));
    assert!(!echoed.is_empty());
    let made_up = BTreeSet::from([Tag([7; 16])]);
    let background = Background { facts: Facts::none(), register: RegisterSize::of(9) };
    for (count, tags) in (1..).zip([BTreeSet::new(), echoed, made_up]) {
        let ours = |at: u8| ObjectId(uuid::Uuid::from_bytes([at; 16]));
        let (grade, families) = (Grade::A, families.clone());
        let found =
            Match { state: State::Candidate, claimed: grade, said_here: None, said_there: None };
        let stands = Told::Stands {
            theirs,
            ours: ours(count + 100),
            families: families.clone(),
            tags: tags.clone(),
            background,
            found,
        };
        let told = Told::Found { theirs, ours: ours(count), grade, families, tags, background };
        stage.lie(LAZIO, TOSCANA, ours(count), told).await;
        stage.lie(LAZIO, TOSCANA, ours(count + 100), stands).await;
        stage.run().await;
        let matches = stage.matches(TOSCANA).await;
        assert_eq!(matches.len(), usize::from(count) * 2);
        for view in matches {
            assert_eq!((view.row.grade.as_str(), view.row.seen), ("C", false), "{view:?}");
            assert_eq!(view.row.families, "phone");
        }
    }
    // Who has such a record proves it, also where it has not shared it.
    stage.add(UMBRIA, kamal_otherwise()).await;
    stage.run().await;
    let matches = stage.matches(TOSCANA).await;
    let view = matches.iter().find(|view| view.row.counterpart.as_str() == "umbria").unwrap();
    assert_eq!((view.row.grade.as_str(), view.row.seen), ("A", true));
}
