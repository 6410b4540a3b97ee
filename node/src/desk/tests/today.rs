//! The first page, in a node that is in no équipe yet.

use super::Lab;

#[tokio::test]
async fn a_day_on_which_nothing_happened_is_told_in_friendly_words() {
    let lab = Lab::new().await;
    let mut anna = lab.operator("Anna", "case_manager", "access_point").await;
    let page = anna.open("/").await;
    for said in ["Di nuovo", "Aspetta te", "In ritardo", "Nulla ti aspetta", "Nulla è in ritardo"]
    {
        assert!(page.says(said), "{said}: {}", page.text);
    }
    assert!(page.says("Qui trovi quello che arriva") && page.says("Ancora nessuna segnalazione"));
    assert!(page.says("non fa ancora parte di un&#39;équipe"), "{}", page.text);
    anna.language = "en";
    assert!(anna.open("/").await.says("Nothing waits for you."));
}

#[tokio::test]
async fn a_draft_waits_for_who_wrote_it() {
    let lab = Lab::new().await;
    let anna = lab.operator("Anna", "case_manager", "access_point").await;
    let ugo = lab.operator("Ugo", "case_manager", "access_point").await;
    anna.send("/share/case", &[("comune", "Greve"), ("step", "keep")]).await;
    let page = anna.open("/").await;
    assert!(page.says("La bozza di un caso") && page.says("href=\"/share/case\""), "{}", page.text);
    assert!(!page.says("Greve") && !ugo.open("/").await.says("La bozza"));
    anna.send("/share/case", &[("step", "discard")]).await;
    assert!(anna.open("/").await.says("Nulla ti aspetta"));
}

#[tokio::test]
async fn everybody_is_answered_what_the_role_may_know() {
    let lab = Lab::new().await;
    for (role, class, new, waits) in [
        ("case_manager", "union", true, true),
        ("frontline", "employers_association", true, true),
        ("auditor", "region", false, false),
        ("administrator", "region", false, false),
        ("case_manager", "police", false, false),
    ] {
        let name = format!("{role} {class}");
        let page = lab.operator(&name, role, class).await.open("/").await;
        assert_eq!((page.says("Di nuovo"), page.says("Aspetta te")), (new, waits), "{name}");
        assert!(page.says("Nulla è in ritardo"), "{name}");
    }
}

#[tokio::test]
async fn matches_are_chosen_by_what_waits() {
    let lab = Lab::new().await;
    let anna = lab.operator("Anna", "case_manager", "access_point").await;
    assert!(anna.open("/matches").await.says("Nessuna corrispondenza."));
    for stage in ["undecided", "unanswered"] {
        let page = anna.open(&format!("/matches?stage={stage}")).await;
        assert!(page.says("Nessuna corrispondenza ti aspetta"), "{}", page.text);
    }
}
