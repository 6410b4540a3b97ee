//! Matches are as strong as what agrees is rare.

use raccordo_core::object::Kind;

use super::stage::{Stage, TOSCANA, UMBRIA, person};

#[tokio::test]
async fn a_name_that_many_here_have_says_little() {
    for (namesakes, expected) in [(0, "B"), (40, "C")] {
        let mut stage = Stage::of_three().await;
        for at in 0..namesakes {
            let born = format!("{}-05-06", 1950 + at);
            stage.add(UMBRIA, person("Hossain", "Kamal", &born, "")).await;
        }
        stage.add(UMBRIA, person("Hosen", "Kamal", "1990-03-04", "")).await;
        let record = stage.add(TOSCANA, person("Hossain", "Md Kamal", "1990-08-20", "")).await;
        stage.share(TOSCANA, record, Kind::Case).await;
        stage.run().await;
        // The year agrees, and the day does not: what names are worth decides, at each node by
        // its own register.
        let there = stage.only(UMBRIA).await.row;
        assert_eq!((there.grade.as_str(), there.seen), (expected, true), "{there:?}");
        assert!(there.reasons.contains("name:") && there.reasons.contains("year:"));
        assert_eq!(there.families, "names_year");
        assert_eq!(stage.only(TOSCANA).await.row.grade, "B");
        stage.settled().await;
    }
}

#[tokio::test]
async fn of_two_namesakes_the_weaker_is_a_question() {
    let mut stage = Stage::of_three().await;
    let same = stage.add(UMBRIA, person("Hosen", "Kamal", "1990-03-04", "")).await;
    let other = stage.add(UMBRIA, person("Hossain", "Kamal", "1990-11-12", "")).await;
    let record = stage.add(TOSCANA, person("Hossain", "Md Kamal", "1990-03-04", "")).await;
    stage.share(TOSCANA, record, Kind::Case).await;
    stage.run().await;
    let matches = stage.matches(UMBRIA).await;
    let of = |record| matches.iter().find(|view| view.row.record == record).unwrap().row.clone();
    let (same, other) = (of(same), of(other));
    assert_eq!((same.grade.as_str(), other.grade.as_str()), ("A", "C"), "{same:?} {other:?}");
    assert!(same.strength > other.strength + 30);
    stage.settled().await;
}

#[tokio::test]
async fn of_whom_no_date_is_known_is_found_by_names_and_citizenship() {
    for (country, expected) in [("BD", Some("B")), ("PK", None)] {
        let mut stage = Stage::of_three().await;
        let mut undated = person("Hosen", "Kamal", "1990-03-04", "");
        undated.entries.truncate(1);
        stage.add_citizen(UMBRIA, undated, "BD").await;
        let dated = person("Hossain", "Md Kamal", "1990-03-04", "");
        let record = stage.add_citizen(TOSCANA, dated, country).await;
        stage.share(TOSCANA, record, Kind::Case).await;
        stage.run().await;
        let matches = stage.matches(UMBRIA).await;
        let grades: Vec<&str> = matches.iter().map(|view| view.row.grade.as_str()).collect();
        assert_eq!(grades.first().copied(), expected, "{matches:?}");
        for view in matches {
            assert_eq!(view.row.families, "names_years_group");
            assert!(view.row.reasons.contains("group:") && !view.row.reasons.contains("year:"));
        }
        stage.settled().await;
    }
}
