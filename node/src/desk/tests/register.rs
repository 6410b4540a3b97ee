//! The register's pages, from adding to erasing, and who may see what.

use std::time::Duration;

use super::lab::{Browser, Lab};

/// A name that must stand on no page before a purpose was chosen.
const CANARY: &str = "Canarino";

async fn added(anna: &Browser<'_>) -> String {
    let fields = [
        ("name.0.family", CANARY),
        ("name.0.given", "Mario"),
        ("name.1.family", "Mariolino"),
        ("birth_date.0.value", "2/3/1985"),
        ("phone.0.value", "055 123456"),
        ("phone.1.value", "333 1234567"),
        ("document.0.kind", "passport"),
        ("document.0.number", "YA1"),
        ("address.0.street", "Via Roma 1"),
        ("address.0.comune", "Firenze"),
        ("state", "accompanied"),
        ("citizenship", "Bangladesh"),
        ("step", "add"),
    ];
    let answer = anna.send("/register/add/person", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.location.split('?').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_is_added_found_shown_and_erased() {
    let lab = Lab::new().await;
    let anna = lab.operator("Anna", "case_manager", "access_point").await;
    let path = added(&anna).await;

    let list = anna.open("/register").await;
    assert!(list.says(&path) && !list.says(CANARY), "{}", list.text);
    let closed = anna.open(&path).await;
    assert!(closed.says("In accompagnamento") && !closed.says(CANARY), "{}", closed.text);
    assert!(!lab.audit().await.iter().any(|action| action.starts_with("record.read")));

    let without = anna.send(&path, &[("purpose", "")]).await;
    assert!(without.status == 422 && !without.says(CANARY), "{}", without.text);
    let opened = anna.send(&path, &[("purpose", "protection")]).await;
    for said in [CANARY, "Mariolino", "02/03/1985", "055 123456", "passaporto YA1", "Firenze"] {
        assert!(opened.says(said), "{said}: {}", opened.text);
    }
    assert!(opened.says("name=\"citizenship\" value=\"BD\""), "{}", opened.text);
    assert!(lab.audit().await.contains(&"record.read protection".to_owned()));

    let sought = [("phone.0.value", "333 123 45 67"), ("purpose", "protection")];
    let found = anna.send("/register/find/person", &sought).await;
    assert!(found.says(&path) && found.says("Telefono"), "{}", found.text);
    assert!(lab.audit().await.contains(&"register.find protection".to_owned()));

    let change = anna.send(&format!("{path}/change"), &[("state", "closed")]).await;
    assert!(anna.open(&change.location).await.says("Chiuso"));

    let unsure = anna.send(&format!("{path}/erase"), &[]).await;
    assert_eq!(unsure.status, 422);
    let erased = anna.send(&format!("{path}/erase"), &[("sure", "yes")]).await;
    assert_eq!(erased.location, path);
    let gone = anna.open(&path).await;
    assert!(gone.says("distrutti") && !gone.says("name=\"purpose\""), "{}", gone.text);
}

#[tokio::test]
async fn what_is_wrong_stands_beside_its_field_and_nothing_is_lost() {
    let lab = Lab::new().await;
    let anna = lab.operator("Anna", "case_manager", "access_point").await;
    let fields = [("birth_date.0.value", "ieri"), ("name.0.family", CANARY), ("step", "add")];
    let wrong = anna.send("/register/add/person", &fields).await;
    assert!(wrong.says("error-birth_date") && wrong.says(CANARY), "{}", wrong.text);
    let nobody = anna.send("/register/add/person", &[("step", "add")]).await;
    assert!(nobody.says("Scrivi almeno un nome"), "{}", nobody.text);
    let more = [("name.0.family", CANARY), ("step", "more")];
    let more = anna.send("/register/add/person", &more).await;
    assert!(more.says("phone.2.value") && more.says(CANARY), "{}", more.text);
}

#[tokio::test]
async fn companies() {
    let lab = Lab::new().await;
    let anna = lab.operator("Anna", "case_manager", "access_point").await;
    let fields = [
        ("company_name.0.value", "Canarino Srl"),
        ("vat_number.0.value", "00743110157"),
        ("step", "add"),
    ];
    let answer = anna.send("/register/add/company", &fields).await;
    let path = answer.location.split('?').next().unwrap().to_owned();
    assert!(path.starts_with("/register/companies/"), "{}", answer.text);
    let list = anna.open("/register?kind=company").await;
    assert!(list.says(&path) && !list.says(CANARY));
    let opened = anna.send(&path, &[("purpose", "company_monitoring")]).await;
    assert!(opened.says("Canarino Srl") && opened.says("Partita IVA"), "{}", opened.text);
    let found = [("vat_number.0.value", "00743110157"), ("purpose", "protection")];
    assert!(anna.send("/register/find/company", &found).await.says(&path));
}

/// The same matrix as the API's: role, class, and organisation.
#[tokio::test]
async fn who_may_see_what() {
    let lab = Lab::new().await;
    let anna = lab.operator("Anna", "case_manager", "access_point").await;
    let path = added(&anna).await;
    let erase = format!("{path}/erase");
    let pages = ["/register", "/register/find/person", "/register/add/person"];
    let import = "/register/import/person";
    for (role, class, list, one, import_status) in [
        ("case_manager", "access_point", 200, 404, 200),
        ("frontline", "access_point", 200, 404, 403),
        ("secretariat", "secretariat", 200, 200, 200),
        ("auditor", "region", 403, 403, 403),
        ("administrator", "region", 403, 403, 403),
        ("case_manager", "police", 403, 403, 403),
    ] {
        let name = format!("{role} {class}");
        let ugo = lab.operator(&name, role, class).await;
        for page in pages {
            assert_eq!(ugo.open(page).await.status, list, "{name} {page}");
        }
        assert_eq!(ugo.open(import).await.status, import_status, "{name}");
        assert_eq!(ugo.open(&path).await.status, one, "{name}");
        let opened = ugo.send(&path, &[("purpose", "protection")]).await;
        assert_eq!((opened.status, opened.says(CANARY)), (one, one == 200), "{name}");
        assert_eq!(ugo.open(&erase).await.status, one, "{name}");
    }
    // Who never sees a person sees companies.
    let union = lab.operator("Ada", "case_manager", "employers_association").await;
    assert_eq!(union.open("/register?kind=person").await.status, 403);
    let list = union.open("/register").await;
    assert!(list.status == 200 && !list.says("kind=person"), "{}", list.text);
}

#[tokio::test]
async fn forms_of_other_pages_change_nothing() {
    let lab = Lab::new().await;
    let anna = lab.operator("Anna", "case_manager", "access_point").await;
    let path = added(&anna).await;
    for (path, field) in [
        ("/register/add/person".to_owned(), ("name.0.family", "x")),
        ("/register/find/person".to_owned(), ("purpose", "protection")),
        (path.clone(), ("purpose", "protection")),
        (format!("{path}/change"), ("state", "closed")),
        (format!("{path}/again"), ("x", "y")),
        (format!("{path}/erase"), ("sure", "yes")),
        ("/register/import/person/begin".to_owned(), ("step", "import")),
    ] {
        let answer = anna.send_bare(&path, &[("form", "0000"), field]).await;
        assert!(answer.status == 403 && !answer.says(CANARY), "{path}");
    }
}

async fn imported(anna: &Browser<'_>) -> super::lab::Page {
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    loop {
        let page = anna.open("/register/import/person").await;
        if !page.says("Importazione in corso") {
            return page;
        }
        assert!(std::time::Instant::now() < deadline, "{}", page.text);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_file_is_checked_imported_and_reported() {
    let lab = Lab::new().await;
    let anna = lab.operator("Anna", "case_manager", "access_point").await;
    let mut file = "\u{feff}Cognome;Nome;Nato il;Note\r\n".to_owned();
    for number in 0..600 {
        file.push_str(&format!("Canarino{number};Mario;1/2/1980;x\r\n"));
    }
    file.push_str("Rossi;Ugo;ieri;y\r\n");
    let sent = anna.upload("/register/import/person", &file).await;
    assert_eq!(sent.location, "/register/import/person", "{}", sent.text);
    let asks = anna.open("/register/import/person").await;
    assert!(asks.says("Nome non riconosciuto") && !asks.says(CANARY), "{}", asks.text);
    let columns = [
        ("column.0", "family_name"),
        ("column.1", "given_name"),
        ("column.2", "birth_date"),
        ("column.3", "-"),
    ];
    let nobody = anna.send("/register/import/person/begin", &[("column.0", "-")]).await;
    assert!(nobody.says("Nessuna colonna dice chi"), "{}", nobody.text);

    let with = |step| [columns.as_slice(), &[("step", step)]].concat();
    anna.send("/register/import/person/begin", &with("check")).await;
    let checked = imported(&anna).await;
    assert!(checked.says("non è stato salvato nulla") && checked.says("<dd>600</dd>"));
    // A page that has watched the check has the button for what is next.
    assert!(checked.says_in_its_live_part("value=\"import\""), "{}", checked.text);
    assert!(anna.open("/register").await.says("Nessuna scheda"));

    anna.send("/register/import/person/begin", &with("import")).await;
    let done = imported(&anna).await;
    assert!(done.says("Importazione finita") && done.says("<td>602</td>"), "{}", done.text);
    let report = anna.open("/register/import/person/report").await;
    assert!(report.says("602;Data di nascita") && !report.says("ieri"), "{}", report.text);

    // The same file again adds nobody twice.
    anna.upload("/register/import/person", &file).await;
    anna.send("/register/import/person/begin", &with("import")).await;
    let again = imported(&anna).await;
    assert!(again.says("<dd>600</dd>") && again.says("Già importato"), "{}", again.text);
    let query = crate::app::register::list::Query { limit: 1_000, ..Default::default() };
    let cases = crate::app::register::list::cases(&lab.node, &anna.operator, &query).await;
    assert_eq!(cases.unwrap().0.len(), 600);

    let forged = anna.send_bare("/register/import/person", &[("form", "0000")]).await;
    assert_eq!(forged.status, 422);
    let large = "x".repeat(9 * 1024 * 1024);
    let refused = anna.upload("/register/import/person", &large).await;
    assert!(refused.status == 422 && refused.says("8 MB"), "{}", refused.text);
}
