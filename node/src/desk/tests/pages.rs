//! The other pages: who may open them, and what they say without an équipe.

use futures::FutureExt as _;
use raccordo_core::object::Kind;

use super::Lab;
use crate::app::draft;
use crate::app::signals::Topic;

#[tokio::test]
async fn administrators_see_the_node_and_operators_see_cases() {
    let lab = Lab::new().await;
    let anna = lab.operator("Anna", "case_manager", "access_point").await;
    let admin = lab.operator("Ada", "administrator", "region").await;
    let auditor = lab.operator("Aldo", "auditor", "region").await;
    for (path, operator, administrator) in [
        ("/", 200, 200),
        ("/activity", 200, 200),
        ("/node", 403, 200),
        ("/alerts", 200, 403),
        ("/matches", 200, 403),
        ("/map", 200, 403),
        ("/links", 200, 403),
        ("/register", 200, 403),
        ("/share/case", 200, 403),
    ] {
        assert_eq!(anna.open(path).await.status, operator, "{path}");
        assert_eq!(admin.open(path).await.status, administrator, "{path}");
        let audits = if operator == 200 && administrator == 200 { 200 } else { 403 };
        assert_eq!(auditor.open(path).await.status, audits, "{path}");
    }
    let node = admin.open("/node").await;
    assert!(node.says("Il nodo lavora") && node.says("tessera di questo nodo"), "{}", node.text);
}

#[tokio::test]
async fn everybody_sees_the_own_activity_and_nobody_elses() {
    let lab = Lab::new().await;
    let anna = lab.operator("Anna", "case_manager", "access_point").await;
    let ugo = lab.operator("Ugo", "case_manager", "access_point").await;
    let sought = [("name.0.family", "Rossi"), ("purpose", "protection")];
    anna.send("/register/find/person", &sought).await;
    let own = anna.open("/activity").await;
    assert!(own.says("Hai cercato nel registro") && own.says("Protezione"), "{}", own.text);
    assert!(ugo.open("/activity").await.says("Ancora nulla"));
}

#[tokio::test]
async fn a_draft_outlives_the_page_and_is_sealed() {
    let lab = Lab::new().await;
    let anna = lab.operator("Anna", "case_manager", "access_point").await;
    let ugo = lab.operator("Ugo", "case_manager", "access_point").await;
    let empty = anna.open("/share/case").await;
    assert!(empty.status == 200 && !empty.says("Bozza salvata"), "{}", empty.text);
    let kept = anna.send("/share/case", &[("comune", "Greve"), ("step", "keep")]).await;
    assert!(kept.says("Bozza salvata"), "{}", kept.text);
    let again = anna.open("/share/case").await;
    assert!(again.says("value=\"Greve\"") && again.says("Bozza salvata"), "{}", again.text);
    assert!(!ugo.open("/share/case").await.says("Greve"));
    let row = lab.node.store.read().await.unwrap();
    let row = { row }.draft(anna.operator.id, "case").await.unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&row.sealed).contains("Greve"));

    let quiet = anna.send("/share/case/draft", &[("comune", "Prato")]).await;
    assert_eq!(quiet.status, 204);
    assert!(anna.open("/share/case").await.says("value=\"Prato\""));
    anna.send("/share/case", &[("step", "discard")]).await;
    let found = draft::kept(&lab.node, &anna.operator, Kind::Case).await.unwrap();
    assert_eq!(found, None);
    // What begins from a record replaces no draft.
    anna.send("/share/case", &[("comune", "Greve"), ("step", "keep")]).await;
    let record = "01900000-0000-7000-8000-000000000000";
    let begun = [("record", record), ("province", "048"), ("step", "begin")];
    let begun = anna.send("/share/case", &begun).await;
    assert!(begun.says(record) && !begun.says("Greve"), "{}", begun.text);
    assert!(anna.open("/share/case").await.says("Greve"));
}

#[tokio::test]
async fn codes_are_suggested_while_typing() {
    let lab = Lab::new().await;
    let anna = lab.operator("Anna", "case_manager", "access_point").await;
    let found = anna.open("/codes/comune?comune=firen").await;
    assert!(found.says("<option value=\"Firenze\">048017</option>"), "{}", found.text);
    assert!(anna.open("/codes/comune?comune=").await.text.is_empty());
    assert!(anna.open("/codes/nothing?x=a").await.text.is_empty());
    let escaped = anna.open("/codes/comune?comune=%3Cscript%3E").await;
    assert!(!escaped.says("<script>"));
}

#[tokio::test]
async fn the_map_has_a_tile_for_each_province_and_works_without_alerts() {
    let lab = Lab::new().await;
    let anna = lab.operator("Anna", "case_manager", "access_point").await;
    let map = anna.open("/map").await;
    assert_eq!(map.text.matches("<rect").count(), 107);
    assert!(map.says("Nessuna segnalazione"), "{}", map.text);
    assert!(!map.says("style="), "the policy allows no inline styles");
    assert!(anna.open("/links").await.says("Nessun legame"));
}

#[tokio::test]
async fn every_page_speaks_both_languages() {
    let lab = Lab::new().await;
    let mut anna = lab.operator("Anna", "case_manager", "access_point").await;
    for path in ["/", "/alerts", "/register", "/register/add/company", "/share/case", "/map"] {
        anna.language = "it";
        let italian = anna.open(path).await;
        anna.language = "en";
        let english = anna.open(path).await;
        assert!(italian.says("lang=\"it\"") && english.says("<html lang=\"en\">"), "{path}");
        assert_ne!(italian.text, english.text, "{path}");
    }
}

#[tokio::test]
async fn a_page_hears_of_what_changed_before_it_listened() {
    let lab = Lab::new().await;
    let anna = lab.operator("Anna", "case_manager", "access_point").await;
    let events = anna.open("/alerts").await.events();
    lab.node.signals.wake(&Topic::Objects);
    let first = anna.listen(&events, None).await.next().await;
    // It has heard all, and is cut off.
    let mut idle = anna.listen(&events, Some(&first)).await;
    assert!(idle.next().now_or_never().is_none());
    drop(idle);
    lab.node.signals.wake(&Topic::Objects);
    let second = anna.listen(&events, Some(&first)).await.next().await;
    assert_ne!(first, second);
    // A mark of the run before a restart.
    let other = format!("{}-0", uuid::Uuid::new_v4().simple());
    assert_eq!(anna.listen(&events, Some(&other)).await.next().await, second);
}
