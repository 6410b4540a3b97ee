//! Signing in: whom guesses stop, and what they tell.

use axum::body::Body;
use axum::http::{Request, Response, header};
use raccordo_core::account::Seed;
use raccordo_core::time::{Clock as _, Instant};
use tower::ServiceExt as _;

use super::lab::Lab;
use crate::app::account::{activate, invite};
use crate::app::audit::Actor;
use crate::app::lab::Still;
use crate::desk::Settings;

const PASSWORD: &str = "la zia di Lucca";
const ANNA: &str = "Anna Bianchi";

/// Somebody's browser.
struct Browser {
    address: String,
    cookie: String,
}

impl Browser {
    fn at(address: impl ToString) -> Self {
        Self { address: address.to_string(), cookie: String::new() }
    }
}

/// What the form answered.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    /// Without the name that was typed.
    text: String,
}

/// An account whose codes are known.
async fn account(lab: &Lab) -> Seed {
    lab.operator(ANNA, "case_manager", "access_point").await;
    let (_, link) = invite::invite(&lab.node, Actor::Administrator(0), ANNA).await.unwrap();
    let seed = activate::look(&lab.node, link.reveal()).await.unwrap().seed;
    let password = PASSWORD.to_owned();
    activate::activate(&lab.node, link.reveal(), password, &code(&seed, -1)).await.unwrap();
    seed
}

/// The code of a step before or after now.
fn code(seed: &Seed, steps: i64) -> String {
    seed.code(Instant(Still.now().0 + steps * 30_000)).unwrap().reveal().clone()
}

async fn post(lab: &Lab, browser: &Browser, fields: &[(&str, &str)]) -> Response<Body> {
    let request = Request::builder()
        .method("POST")
        .uri("/sign-in")
        .header("sec-fetch-site", "same-origin")
        .header("x-forwarded-for", &browser.address)
        .header(header::COOKIE, &browser.cookie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let body = Body::from(serde_urlencoded::to_string(fields).unwrap());
    lab.router().oneshot(request.body(body).unwrap()).await.unwrap()
}

/// Tries to sign in; what is set as cookies is kept.
async fn sign_in(
    lab: &Lab,
    browser: &mut Browser,
    (name, password): (&str, &str),
    code: &str,
) -> Answer {
    let fields = [("name", name), ("password", password), ("code", code)];
    let (parts, body) = post(lab, browser, &fields).await.into_parts();
    let set = parts.headers.get_all(header::SET_COOKIE).iter();
    let set = set.filter_map(|cookie| cookie.to_str().unwrap().split(';').next());
    let set: Vec<&str> = set.collect();
    if !set.is_empty() {
        browser.cookie = set.join("; ");
    }
    let text = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap().replace(name, "");
    Answer { status: parts.status.as_u16(), text }
}

/// Guesses from one address, until they are not looked at any more; how many were.
async fn guesses(lab: &Lab, address: impl ToString, name: &str) -> (Vec<Answer>, Answer) {
    let mut stranger = Browser::at(address);
    let mut looked_at = Vec::new();
    loop {
        let answer = sign_in(lab, &mut stranger, (name, "la zia di Pisa"), "000000").await;
        if answer.status != 401 {
            return (looked_at, answer);
        }
        looked_at.push(answer);
    }
}

#[tokio::test]
async fn a_stranger_shuts_nobody_out() {
    let lab = Lab::new().await;
    let seed = account(&lab).await;
    let mut known = Browser::at("192.0.2.1");
    let first = sign_in(&lab, &mut known, (ANNA, PASSWORD), &code(&seed, 0)).await;
    assert_eq!(first.status, 303, "{first:?}");

    // Everything that strangers can do, from one address and from many.
    for address in 1..=20 {
        let (_, refused) = guesses(&lab, format!("198.51.100.{address}"), ANNA).await;
        assert_eq!(refused.status, 429);
    }
    let mut new = Browser::at("192.0.2.2");
    let refused = sign_in(&lab, &mut new, (ANNA, PASSWORD), &code(&seed, 1)).await;
    assert_eq!(refused.status, 429, "a new browser has to wait");
    // The browser in which Anna has signed in before does not, with the right password and code.
    let wrong = sign_in(&lab, &mut known, (ANNA, "la zia di Pisa"), &code(&seed, 1)).await;
    assert_eq!(wrong.status, 401);
    let again = sign_in(&lab, &mut known, (ANNA, PASSWORD), &code(&seed, 1)).await;
    assert_eq!(again.status, 303, "{again:?}");
    // A code counts once, whoever has it.
    let used = sign_in(&lab, &mut known, (ANNA, PASSWORD), &code(&seed, 1)).await;
    assert_eq!(used.status, 401);
}

#[tokio::test]
async fn a_known_browser_is_known_for_its_operator_alone_and_until_a_new_password() {
    let lab = Lab::new().await;
    let seed = account(&lab).await;
    let mut known = Browser::at("192.0.2.1");
    sign_in(&lab, &mut known, (ANNA, PASSWORD), &code(&seed, 0)).await;
    let thief = |cookie: &str| Browser { cookie: cookie.to_owned(), ..Browser::at("192.0.2.9") };
    // At another name it is a stranger's, and one that was bent is nobody's.
    let mut other = thief(&known.cookie);
    let mut looked_at = 0;
    while sign_in(&lab, &mut other, ("Bruno", PASSWORD), "000000").await.status == 401 {
        looked_at += 1;
    }
    assert_eq!(looked_at, 5);
    for address in 1..=3 {
        guesses(&lab, format!("198.51.100.{address}"), ANNA).await;
    }
    let bent = known.cookie.replace("device=", "device=A");
    let refused = sign_in(&lab, &mut thief(&bent), (ANNA, PASSWORD), &code(&seed, 1)).await;
    assert_eq!(refused.status, 429);
    // It has few guesses of its own.
    let mut stolen = thief(&known.cookie);
    let mut looked_at = 0;
    while sign_in(&lab, &mut stolen, (ANNA, "la zia di Pisa"), "000000").await.status == 401 {
        looked_at += 1;
    }
    assert_eq!(looked_at, 10);
}

#[tokio::test]
async fn names_cannot_be_told_apart() {
    let lab = Lab::new().await;
    account(&lab).await;
    let before = lab.audit().await.len();
    let (anna, refused) = guesses(&lab, "198.51.100.1", ANNA).await;
    let (nobody, refused_too) = guesses(&lab, "198.51.100.2", "Nessuna").await;
    assert_eq!((anna.len(), refused), (nobody.len(), refused_too));
    assert_eq!(anna, nobody);
    // An id is no name.
    let id = lab.operator("Bruno", "case_manager", "access_point").await.operator.id;
    let (by_id, _) = guesses(&lab, "198.51.100.3", &id.to_string()).await;
    assert_eq!(by_id, nobody);
    // What is too long is looked at like everything else.
    let mut stranger = Browser::at("198.51.100.4");
    let long = "x".repeat(4_000);
    let answers = [
        sign_in(&lab, &mut stranger, (ANNA, &long), "000000").await,
        sign_in(&lab, &mut stranger, ("Nessuna", &long), "000000").await,
    ];
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].status, 401);

    // Of the name that is somebody's the refusals come into the audit, after the answers.
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    let counted = async || {
        let mut tx = lab.node.store.read().await.unwrap();
        let records = tx.audit_after(0, 1_000).await.unwrap();
        let refused = records.iter().filter(|record| record.event.action == "account.refuse");
        refused
            .map(|record| record.event.detail["attempts"].parse::<usize>().unwrap())
            .sum::<usize>()
    };
    while counted().await < anna.len() + 1 {
        assert!(tokio::time::Instant::now() < deadline, "only {} refusals", counted().await);
        tokio::task::yield_now().await;
    }
    let organisation_and_operator = 2;
    assert!(lab.audit().await.len() - before - organisation_and_operator <= anna.len() + 1);
}

#[tokio::test]
async fn guesses_under_way_do_not_stand_in_the_way_of_others() {
    let lab = Lab::new().await;
    account(&lab).await;
    let guess = async |address: u8| {
        let fields = [("name", ANNA), ("password", "la zia di Pisa"), ("code", "000000")];
        post(&lab, &Browser::at(format!("203.0.113.{address}")), &fields).await.status().as_u16()
    };
    // All at once: what was taken by those under way is not there for the others.
    let all = futures::future::join_all((0..60).map(guess)).await;
    let looked_at = all.iter().filter(|status| **status == 401).count();
    assert!(looked_at <= 10, "{looked_at} of 60 guesses were looked at");
    assert!(all.iter().all(|status| matches!(status, 401 | 429)), "{all:?}");
}

async fn asked(settings: Settings, path: &str) -> (u16, String, String) {
    let lab = Lab::with(settings).await;
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (parts, body) = lab.router().oneshot(request).await.unwrap().into_parts();
    let https = parts.headers.get(header::STRICT_TRANSPORT_SECURITY);
    let https = https.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let text = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    (parts.status.as_u16(), https, String::from_utf8(text.to_vec()).unwrap())
}

fn at(url: &str) -> Settings {
    Settings { url: url.to_owned(), ..Settings::default() }
}

#[tokio::test]
async fn behind_tls_browsers_are_told_to_use_nothing_else() {
    for path in ["/sign-in", "/nowhere", "/assets/desk.css"] {
        let (_, https, _) = asked(at("https://raccordo.example.org"), path).await;
        assert_eq!(https, "max-age=31536000", "{path}");
        let (_, plain, _) = asked(at("http://127.0.0.1:8080"), path).await;
        assert_eq!(plain, "", "{path}");
    }
}

#[tokio::test]
async fn whom_to_tell_of_a_weakness() {
    let path = "/.well-known/security.txt";
    let contacts = vec!["mailto:security@example.org".to_owned()];
    let settings = Settings { security_contacts: contacts, ..at("https://raccordo.example.org") };
    let (status, _, text) = asked(settings, path).await;
    assert_eq!(status, 200);
    assert!(text.starts_with("Contact: mailto:security@example.org\r\n"), "{text}");
    assert!(text.contains("\r\nExpires: 20"), "{text}");
    assert_eq!(asked(at(""), path).await.0, 404);
}
