//! Two of the regions know the same worker and the same company.

use std::time::Instant;

use serde_json::{Value, json};

use super::stage::Stage;
use super::story::{EQUIPE, text, until};
use super::teller::Teller;
use crate::failure::Failure;

const PHONES: [(&str, &str); 2] = [("toscana", "+39 0574 000001"), ("umbria", "+39 0742 000002")];

/// What both know, as each of them wrote it.
struct Known {
    /// `case` or `company`.
    kind: &'static str,
    /// What is told of it.
    words: &'static str,
    at_toscana: Value,
    at_umbria: Value,
}

fn known() -> [Known; 2] {
    let person = |family: &str, given: &str| {
        let names = json!([{"family": family, "given": given}]);
        json!({"person": {"names": names, "birthDates": ["1990-03-04"]}})
    };
    let company = |name: &str| {
        let addresses = json!([{"street": "Via Esempio 1", "comune": "048017"}]);
        json!({"company": {
            "names": [name], "vatNumbers": ["00743110157"], "addresses": addresses
        }})
    };
    [
        Known {
            kind: "case",
            words: "a worker: Md Kamal Hossain in Prato, Kamal Hosen in Foligno",
            at_toscana: person("Hossain", "Md Kamal"),
            at_umbria: person("Kamal Hosen", ""),
        },
        Known {
            kind: "company",
            words: "a company: Rossi S.r.l. in Prato, ROSSI srl in liquidazione in Foligno",
            at_toscana: company("Rossi S.r.l."),
            at_umbria: company("ROSSI srl in liquidazione"),
        },
    ]
}

/// Tells how both are found, confirmed and linked; returns how many.
///
/// # Errors
/// The first step that does not succeed.
pub(super) async fn tell(stage: &Stage, teller: &mut Teller) -> Result<usize, Failure> {
    teller.chapter("10. Toscana and Umbria know the same people, and nobody else learns it")?;
    for (node, phone) in PHONES {
        stage.call_with(node, &["operator", "phone", "case manager"], Some(phone)).await?;
    }
    let mut needles: Vec<Vec<u8>> = PHONES.map(|(_, phone)| phone.as_bytes().to_vec()).to_vec();
    for (linked, one) in (1..).zip(known()) {
        teller.say(&format!("  {}", one.words))?;
        let id = link(stage, teller, &one).await?;
        needles.extend(hex(&id));
        needles.push(id.into_bytes());
        let state = |found: &[Value]| {
            let with_contact = |one: &&Value| !text(Some(one), "/contact/work_phone").is_empty();
            found.iter().filter(with_contact).count() >= linked
        };
        for node in ["toscana", "umbria"] {
            let listed = ["match", "list", "--state", "linked"];
            until(stage, node, &listed, "the other manager's phone", state).await?;
        }
    }
    let linked = stage.call("umbria", &["match", "list", "--state", "linked"]).await?;
    let contact = |pointer: &str| text(linked.first(), pointer);
    teller.say(&format!(
        "  linked: Foligno now sees whom to call: {}, {}, {}",
        contact("/contact/name"),
        contact("/contact/organisation"),
        contact("/contact/work_phone")
    ))?;
    let seen = stage.call("lombardia", &["match", "list"]).await?;
    let mut found = 0;
    for node in ["relay", "lombardia"] {
        found += stage.count_in_files(node, &needles)?;
    }
    if !seen.is_empty() || found > 0 {
        return Err(Failure::internal("somebody else learned of a match"));
    }
    teller.say("  lombardia, a member, and the relay see nothing of either: searched all their files for the\n  matches' ids and the phones, as text and as bytes: none")?;
    teller.step("matches")?;
    Ok(linked.len())
}

/// Both add it, Toscana shares it, both confirm; the match's id.
async fn link(stage: &Stage, teller: &Teller, one: &Known) -> Result<String, Failure> {
    let at_toscana = add(stage, "toscana", one.kind, &one.at_toscana).await?;
    let example = ["alert", "example", "--kind", one.kind, "--seed", "11"];
    let mut alert = stage.call("toscana", &example).await?.into_iter().next().unwrap_or_default();
    if let Some(fields) = alert.as_object_mut() {
        fields.remove("id");
        fields.insert("record".to_owned(), at_toscana.into());
    }
    let share = ["alert", "share", "--equipe", EQUIPE, "-", "--wait", "delivered"];
    stage.call_with("toscana", &share, Some(&alert.to_string())).await?;
    let began = Instant::now();
    let at_umbria = add(stage, "umbria", one.kind, &one.at_umbria).await?;
    let record = |found: &&Value| text(Some(found), "/record") == at_umbria;
    let here = |found: &[Value]| found.iter().any(|one| record(&one));
    let found = until(stage, "umbria", &["match", "list"], "the match", here).await?;
    let found = found.iter().find(record);
    let id = text(found, "/id");
    teller.say(&format!(
        "    candidate {}… of grade {} after {} ms; agrees: {}",
        id.chars().take(12).collect::<String>(),
        text(found, "/grade"),
        began.elapsed().as_millis(),
        families(found)
    ))?;
    for node in ["toscana", "umbria"] {
        let same = |found: &[Value]| found.iter().any(|one| text(Some(one), "/id") == id);
        until(stage, node, &["match", "list"], "the match", same).await?;
        stage.call(node, &["match", "confirm", &id]).await?;
        teller.say(&format!("    the case manager at {node} confirms it"))?;
    }
    Ok(id)
}

fn families(found: Option<&Value>) -> String {
    let families = found.and_then(|found| found.get("families")).and_then(Value::as_array);
    let names = families.into_iter().flatten().filter_map(Value::as_str);
    names.collect::<Vec<_>>().join(", ")
}

async fn add(stage: &Stage, node: &str, kind: &str, what: &Value) -> Result<String, Failure> {
    let added = stage.call_with(node, &[kind, "add", "-"], Some(&what.to_string())).await?;
    let pointer = if kind == "case" { "/record" } else { "/id" };
    Ok(text(added.first(), pointer))
}

/// The bytes of hex digits.
fn hex(digits: &str) -> Option<Vec<u8>> {
    let pairs = (0..digits.len()).step_by(2).map(|at| digits.get(at..at + 2));
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}
