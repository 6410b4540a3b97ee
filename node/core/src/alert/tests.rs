//! Alerts: valid, invalid, and what the pact allows.

use std::collections::BTreeSet;

use super::*;
use crate::entropy::SeededEntropy;

/// 2026-11-22T10:00:00Z.
const NOW: Instant = Instant(1_795_341_600_000);

fn case() -> CaseAlert {
    let words = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
    CaseAlert {
        issued_on: "2026-11-20".into(),
        age_band: "25-34".into(),
        gender: "Masculine".into(),
        citizenship: words(&["PK", "034"]),
        languages: words(&["urd", "eng"]),
        legal_path: "art18ter".into(),
        trafficking_status: "PossibleVictimOfTrafficking".into(),
        status_decider: "NGO".into(),
        exploitation: words(&["ForcedLabour"]),
        recruitment: words(&["ThroughFriendsOrSocialEvents"]),
        sector: "01".into(),
        province: "053".into(),
        comune: "053011".into(),
        month: "2026-09".into(),
        ilo_indicators: words(&["wages", "overtime"]),
        indices_603bis: words(&["pay"]),
        control_methods: words(&["RestrictsMovement"]),
        severity: "high".into(),
        urgency: "soon".into(),
        needs: words(&["housing"]),
        minor: false,
        contact_safety: words(&["agreed_times"]),
        company_refs: words(&["0b9d2f3e-6f5e-4c0d-9a53-0f3b8f3f6a11"]),
        consent_ref: "7c3f1c52-9f8e-4d43-8d35-0a2f6f1f2b22".into(),
        reliability: "observed".into(),
        tags: vec![tag()],
    }
}

fn company() -> CompanyAlert {
    CompanyAlert {
        issued_on: "2026-11-20".into(),
        sole_trader: true,
        sector: "01.21.00".into(),
        province: "054".into(),
        comune: "054039".into(),
        role: "employer".into(),
        ilo_indicators: vec!["wages".into()],
        indices_603bis: vec!["safety".into()],
        workers_band: ">3".into(),
        month_from: "2026-05".into(),
        month_to: "2026-09".into(),
        source_class: "outreach".into(),
        status: "reported".into(),
        investigation_hold: true,
        reply_right: "not_offered".into(),
        reliability: "documented".into(),
        tags: vec![Tag { token_class: "company".into(), ..tag() }],
    }
}

fn tag() -> Tag {
    let receiver = "umbria".into();
    Tag { receiver, token_class: "person_strong".into(), key_epoch: 1, tag: vec![7; 16] }
}

fn of_case(body: CaseAlert) -> Alert {
    Alert { body: Some(Body::CaseAlert(body)), ..Alert::default() }
}

fn of_company(body: CompanyAlert) -> Alert {
    Alert { body: Some(Body::CompanyAlert(body)), ..Alert::default() }
}

fn errors(result: Result<CheckedAlert, Vec<FieldError>>) -> Vec<(String, Reason)> {
    let errors = result.err().unwrap_or_default();
    errors.into_iter().map(|error| (error.field, error.reason)).collect()
}

/// The origin finds exactly these errors; a receiver those that do not hang on lists or time.
fn check_alert(alert: &Alert, expected: &[(&str, Reason)], at_receiver: bool) {
    let owned = |(field, reason): &(&str, Reason)| ((*field).to_owned(), *reason);
    let expected: Vec<_> = expected.iter().map(owned).collect();
    let lists = CodeLists::builtin();
    assert_eq!(errors(check(&lists, alert, NOW)), expected, "origin: {alert:?}");
    let kept = if at_receiver { expected } else { Vec::new() };
    assert_eq!(errors(check_received(&lists, alert, NOW)), kept, "receiver: {alert:?}");
}

fn check_case(change: impl Fn(&mut CaseAlert), field: &str, reason: Reason, at_receiver: bool) {
    let mut body = case();
    change(&mut body);
    check_alert(&of_case(body), &[(&format!("caseAlert.{field}"), reason)], at_receiver);
}

fn check_company(
    change: impl Fn(&mut CompanyAlert),
    field: &str,
    reason: Reason,
    at_receiver: bool,
) {
    let mut body = company();
    change(&mut body);
    check_alert(&of_company(body), &[(&format!("companyAlert.{field}"), reason)], at_receiver);
}

#[test]
fn full_alerts_are_valid() {
    check_alert(&of_case(case()), &[], true);
    check_alert(&of_company(company()), &[], true);
}

#[test]
fn the_least_alerts_are_valid() {
    let case = CaseAlert {
        issued_on: "2026-11-22".into(),
        exploitation: vec!["ForcedLabour".into()],
        sector: "01".into(),
        province: "053".into(),
        ..CaseAlert::default()
    };
    check_alert(&of_case(case), &[], true);
    let company = CompanyAlert {
        issued_on: "2026-11-22".into(),
        role: "employer".into(),
        sector: "01".into(),
        province: "053".into(),
        status: "reported".into(),
        indices_603bis: vec!["pay".into()],
        ..CompanyAlert::default()
    };
    check_alert(&of_company(company), &[], true);
}

#[test]
fn all_missing_fields_at_once() {
    use Reason::Missing;
    check_alert(&Alert::default(), &[("caseAlert", Missing)], true);
    check_alert(
        &of_case(CaseAlert::default()),
        &[
            ("caseAlert.issuedOn", Missing),
            ("caseAlert.exploitation", Missing),
            ("caseAlert.sector", Missing),
            ("caseAlert.province", Missing),
        ],
        true,
    );
    check_alert(
        &of_company(CompanyAlert::default()),
        &[
            ("companyAlert.issuedOn", Missing),
            ("companyAlert.sector", Missing),
            ("companyAlert.province", Missing),
            ("companyAlert.role", Missing),
            ("companyAlert.iloIndicators", Missing),
            ("companyAlert.status", Missing),
        ],
        true,
    );
}

#[test]
fn envelope_fields() {
    let with = |id: &str, expires_on: &str| {
        let (id, expires_on) = (id.to_owned(), expires_on.to_owned());
        Alert { id, expires_on, ..of_case(case()) }
    };
    let id = "0b9d2f3e-6f5e-4c0d-9a53-0f3b8f3f6a11";
    check_alert(&with(id, "2026-12-31"), &[], true);
    check_alert(&with("17", ""), &[("id", Reason::Malformed)], true);
    check_alert(&with(&id.replace('-', ""), ""), &[("id", Reason::Malformed)], true);
    check_alert(&with("", "31/12/2026"), &[("expiresOn", Reason::Malformed)], true);
    check_alert(&with("", "20261231"), &[("expiresOn", Reason::Malformed)], true);
    check_alert(&with("", "2026-11-22"), &[("expiresOn", Reason::Contradiction)], false);
    check_alert(&with("", "2026-11-01"), &[("expiresOn", Reason::Contradiction)], true);
}

#[test]
fn unknown_codes_stop_the_origin_only() {
    type Change = fn(&mut CaseAlert, String);
    let texts: [(Change, &str, &str); 11] = [
        (|body, code| body.age_band = code, "ageBand", "66-70"),
        (|body, code| body.gender = code, "gender", "NeverSeen"),
        (|body, code| body.legal_path = code, "legalPath", "art99"),
        (|body, code| body.trafficking_status = code, "traffickingStatus", "NeverSeen"),
        (|body, code| body.status_decider = code, "statusDecider", "NeverSeen"),
        (|body, code| body.sector = code, "sector", "04"),
        (|body, code| body.comune = code, "comune", "999999"),
        (|body, code| body.severity = code, "severity", "never_seen"),
        (|body, code| body.urgency = code, "urgency", "never_seen"),
        (|body, code| body.reliability = code, "reliability", "never_seen"),
        (|body, code| body.province = code, "province", "999"),
    ];
    let lists: [(Change, &str, &str); 9] = [
        (|body, code| body.citizenship = vec![code], "citizenship", "QQ"),
        (|body, code| body.languages = vec![code], "languages", "qqq"),
        (|body, code| body.exploitation = vec![code], "exploitation", "NeverSeen"),
        (|body, code| body.recruitment = vec![code], "recruitment", "NeverSeen"),
        (|body, code| body.ilo_indicators = vec![code], "iloIndicators", "never_seen"),
        (|body, code| body.indices_603bis = vec![code], "indices603bis", "never_seen"),
        (|body, code| body.control_methods = vec![code], "controlMethods", "NeverSeen"),
        (|body, code| body.needs = vec![code], "needs", "never_seen"),
        (|body, code| body.contact_safety = vec![code], "contactSafety", "never_seen"),
    ];
    for (change, field, newer) in texts.into_iter().chain(lists) {
        let set = |body: &mut CaseAlert, code: &str| {
            // Without a comune, another province contradicts nothing.
            body.comune = String::new();
            change(body, code.to_owned());
        };
        check_case(|body| set(body, newer), field, Reason::UnknownCode, false);
        for text in NO_CODES {
            let mut body = case();
            set(&mut body, text);
            check_no_code(&of_case(body), &format!("caseAlert.{field}"));
        }
    }
}

/// Texts that no version of a list could hold.
const NO_CODES: [&str; 7] = [
    "white space",
    "<script>alert(1)</script>",
    "Mario.Rossi",
    "+39-055-1234567",
    "\u{1b}[2J",
    "è",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

/// The origin does not know the code, and to a receiver it is none.
fn check_no_code(alert: &Alert, field: &str) {
    let lists = CodeLists::builtin();
    let found = errors(check(&lists, alert, NOW));
    assert_eq!(found, [(field.to_owned(), Reason::UnknownCode)], "origin: {alert:?}");
    let found = errors(check_received(&lists, alert, NOW));
    assert_eq!(found, [(field.to_owned(), Reason::Malformed)], "receiver: {alert:?}");
}

#[test]
fn unknown_company_codes() {
    type Change = fn(&mut CompanyAlert, String);
    let changes: [(Change, &str, &str); 10] = [
        (|body, code| body.sector = code, "sector", "99.99.99"),
        (|body, code| body.comune = code, "comune", "999999"),
        (|body, code| body.role = code, "role", "never_seen"),
        (|body, code| body.ilo_indicators = vec![code], "iloIndicators", "never_seen"),
        (|body, code| body.indices_603bis = vec![code], "indices603bis", "never_seen"),
        (|body, code| body.workers_band = code, "workersBand", ">9"),
        (|body, code| body.source_class = code, "sourceClass", "never_seen"),
        (|body, code| body.status = code, "status", "never_seen"),
        (|body, code| body.reply_right = code, "replyRight", "never_seen"),
        (|body, code| body.reliability = code, "reliability", "never_seen"),
    ];
    for (change, field, newer) in changes {
        let set = |body: &mut CompanyAlert| change(body, newer.to_owned());
        check_company(set, field, Reason::UnknownCode, false);
        for text in NO_CODES {
            let mut body = company();
            change(&mut body, text.to_owned());
            check_no_code(&of_company(body), &format!("companyAlert.{field}"));
        }
    }
}

#[test]
fn case_sectors_are_divisions() {
    for sector in ["01.21.00", "A"] {
        check_no_code(&of_case(CaseAlert { sector: sector.into(), ..case() }), "caseAlert.sector");
    }
}

#[test]
fn lists_have_a_length_and_no_repeats() {
    let many = |count: usize| (0..count).map(|n| format!("c{n}")).collect::<Vec<_>>();
    check_case(|body| body.citizenship = many(6), "citizenship", Reason::TooMany, true);
    check_case(|body| body.languages = many(11), "languages", Reason::TooMany, true);
    check_case(|body| body.needs = many(33), "needs", Reason::TooMany, true);
    check_case(|body| body.company_refs = many(33), "companyRefs", Reason::TooMany, true);
    let twice = |body: &mut CaseAlert| body.citizenship.push("PK".into());
    check_case(twice, "citizenship", Reason::Duplicate, true);
    let twice = |body: &mut CompanyAlert| body.ilo_indicators.push("wages".into());
    check_company(twice, "iloIndicators", Reason::Duplicate, true);
}

#[test]
fn references_are_uuids() {
    check_case(|body| body.consent_ref = "yes".into(), "consentRef", Reason::Malformed, true);
    check_case(|body| body.company_refs = vec!["1".into()], "companyRefs", Reason::Malformed, true);
}

#[test]
fn tags_are_well_formed() {
    let check = |change: fn(&mut Vec<Tag>), reason| {
        check_case(|body| change(&mut body.tags), "tags", reason, true);
    };
    check(|tags| tags[0].receiver = "UMBRIA".into(), Reason::Malformed);
    check(|tags| tags[0].tag = vec![7; 15], Reason::Malformed);
    check(|tags| tags[0].token_class = String::new(), Reason::Malformed);
    check(|tags| tags.push(tag()), Reason::Duplicate);
    check(|tags| *tags = vec![tag(); 2049], Reason::TooMany);
    let class = |body: &mut CaseAlert| body.tags[0].token_class = "car".into();
    check_case(class, "tags", Reason::Malformed, false);
}

#[test]
fn the_comune_lies_in_the_province() {
    check_case(|body| body.comune = "054039".into(), "comune", Reason::Contradiction, false);
    check_company(|body| body.province = "053".into(), "comune", Reason::Contradiction, false);
}

#[test]
fn dates_fit_the_calendar() {
    let check = |text: &str, reason, at_receiver| {
        let set = |body: &mut CaseAlert| {
            body.month = String::new();
            body.issued_on = text.to_owned();
        };
        check_case(set, "issuedOn", reason, at_receiver);
    };
    check("2026-02-30", Reason::Malformed, true);
    check("2026-2-3", Reason::Malformed, true);
    check("20260203", Reason::Malformed, true);
    check("2026-11-20T10:00:00Z", Reason::Malformed, true);
    check("1999-12-31", Reason::Malformed, true);
    check("2026-11-24", Reason::Contradiction, false);
    let tomorrow_in_italy = CaseAlert { issued_on: "2026-11-23".into(), ..case() };
    check_alert(&of_case(tomorrow_in_italy), &[], true);
}

#[test]
fn months() {
    check_case(|body| body.month = "2026-9".into(), "month", Reason::Malformed, true);
    check_case(|body| body.month = "2026-13".into(), "month", Reason::Malformed, true);
    check_case(|body| body.month = "1999-01".into(), "month", Reason::Malformed, true);
    check_case(|body| body.month = "2026-12".into(), "month", Reason::Contradiction, true);
    check_company(|body| body.month_from = "may".into(), "monthFrom", Reason::Malformed, true);
    check_company(|body| body.month_to = "2026-04".into(), "monthTo", Reason::Contradiction, true);
    let later = |body: &mut CompanyAlert| body.month_to = "2026-12".into();
    check_company(later, "monthTo", Reason::Contradiction, true);
}

#[test]
fn minors_are_marked() {
    check_case(|body| body.minor = true, "minor", Reason::Contradiction, true);
    let band = |body: &mut CaseAlert| body.age_band = "14-17".into();
    check_case(band, "minor", Reason::Contradiction, true);
    let marked = CaseAlert { age_band: "14-17".into(), minor: true, ..case() };
    check_alert(&of_case(marked), &[], true);
    let unknown_age = CaseAlert { age_band: String::new(), minor: true, ..case() };
    check_alert(&of_case(unknown_age), &[], true);
}

#[test]
fn a_company_needs_an_indicator() {
    let none = |body: &mut CompanyAlert| {
        body.ilo_indicators.clear();
        body.indices_603bis.clear();
    };
    check_company(none, "iloIndicators", Reason::Missing, true);
}

#[test]
fn errors_never_show_the_value() {
    let body = CaseAlert {
        issued_on: "RSSMRA80A01H501U".into(),
        gender: "RSSMRA80A01H501U".into(),
        consent_ref: "RSSMRA80A01H501U".into(),
        citizenship: vec!["RSSMRA80A01H501U".into(); 2],
        ..case()
    };
    let alert = Alert { id: "RSSMRA80A01H501U".into(), ..of_case(body) };
    let errors = check(&CodeLists::builtin(), &alert, NOW).unwrap_err();
    assert_eq!(errors.len(), 5);
    assert!(!format!("{errors:?}").contains("RSSMRA"));
}

#[test]
fn declared_names_are_those_of_the_json() {
    let check = |alert: &Alert, kind: Kind| {
        let json = serde_json::to_value(alert).unwrap();
        let declaration = kind.declaration();
        let keys: BTreeSet<_> =
            json[declaration.body].as_object().unwrap().keys().cloned().collect();
        let mut flags = keys;
        // False is left out of canonical JSON.
        if kind == Kind::Case {
            flags.insert("minor".to_owned());
        }
        let names = declaration.fields.iter().map(|field| field.name.to_owned());
        assert_eq!(flags, names.collect::<BTreeSet<_>>());
        let values: Vec<_> = values::of(alert).iter().map(|(field, _)| field.name).collect();
        assert_eq!(values, declaration.fields.iter().map(|field| field.name).collect::<Vec<_>>());
    };
    check(&of_case(case()), Kind::Case);
    check(&of_company(company()), Kind::Company);
}

#[test]
fn risk_follows_the_value() {
    let check = |alert: Alert, field: &str, risk: Option<Risk>| {
        let present = values::present(&alert);
        let found = present.iter().find(|present| present.field == field);
        assert_eq!(found.map(|present| present.risk), risk, "{field}");
    };
    check(of_case(case()), "gender", Some(Risk::Quasi));
    let minority = CaseAlert { gender: "NonConforming".into(), ..case() };
    check(of_case(minority), "gender", Some(Risk::Identifying));
    check(of_case(case()), "citizenship", Some(Risk::Identifying));
    let region = CaseAlert { citizenship: vec!["034".into()], ..case() };
    check(of_case(region), "citizenship", Some(Risk::Quasi));
    check(of_case(case()), "minor", None);
    check(of_company(company()), "sourceClass", Some(Risk::Coarse));
    let worker = CompanyAlert { source_class: "worker".into(), ..company() };
    check(of_company(worker), "sourceClass", Some(Risk::Identifying));
    check(of_company(company()), "soleTrader", Some(Risk::Identifying));
    check(of_company(company()), "province", Some(Risk::Coarse));
}

#[test]
fn a_sole_trader_is_a_person() {
    assert_eq!(subject(&of_case(case())), Subject::Person);
    assert_eq!(subject(&of_company(company())), Subject::Person);
    let firm = CompanyAlert { sole_trader: false, ..company() };
    assert_eq!(subject(&of_company(firm)), Subject::Company);
}

#[test]
fn a_checked_alert_tells_its_id_and_expiry() {
    let lists = CodeLists::builtin();
    let id = "0b9d2f3e-6f5e-4c0d-9a53-0f3b8f3f6a11";
    let alert = Alert { id: id.into(), expires_on: "2026-12-31".into(), ..of_case(case()) };
    let checked = check(&lists, &alert, NOW).unwrap();
    assert_eq!(checked.id(), id.parse().ok());
    assert_eq!(checked.expires_at().unwrap().to_string(), "2027-01-01T00:00:00Z");
    let plain = check(&lists, &of_case(case()), NOW).unwrap();
    assert_eq!((plain.id(), plain.expires_at()), (None, None));
}

#[test]
fn examples_pass_their_own_check() {
    let lists = CodeLists::builtin();
    for (kind, seed) in Kind::ALL.into_iter().flat_map(|kind| (0..4).map(move |n| (kind, n))) {
        let entropy = SeededEntropy::labelled(&format!("example {seed}"));
        for alert in example(kind, 200, &entropy, NOW, &lists) {
            assert_eq!(errors(check(&lists, &alert, NOW)), [], "seed {seed}: {alert:?}");
            assert_eq!(super::kind(&alert), Some(kind));
            assert!(alert.id.is_empty());
        }
    }
}

#[test]
fn examples_repeat_for_a_seed_and_vary() {
    let lists = CodeLists::builtin();
    let make =
        |label: &str| example(Kind::Company, 200, &SeededEntropy::labelled(label), NOW, &lists);
    assert_eq!(make("a"), make("a"));
    assert_ne!(make("a"), make("b"));
    let sectors: BTreeSet<_> = make("a")
        .into_iter()
        .filter_map(|alert| match alert.body {
            Some(Body::CompanyAlert(body)) => Some(body.sector),
            _ => None,
        })
        .collect();
    assert!(sectors.len() >= 6, "{sectors:?}");
    assert!(sectors.iter().all(|sector| sector.len() == 8), "{sectors:?}");
}

#[test]
fn examples_read_back_from_json() {
    let lists = CodeLists::builtin();
    for kind in Kind::ALL {
        let alerts = example(kind, 5, &SeededEntropy::labelled("json"), NOW, &lists);
        for alert in alerts {
            let json = serde_json::to_string(&alert).unwrap();
            assert_eq!(serde_json::from_str::<Alert>(&json).unwrap(), alert);
        }
    }
}
