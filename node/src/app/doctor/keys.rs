//! Where an équipe's keys for tokens cannot be made by themselves: a new key brings them back.

use std::collections::BTreeSet;

use raccordo_core::alarm::AlarmCode;
use raccordo_core::id::NodeId;
use raccordo_core::sending::Standing;

use super::{Finding, Severity, finding, yours};
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::pseudonym::show;
use crate::app::status::EquipeStatus;

/// Findings about one équipe.
///
/// # Errors
/// The store's, or damaged rows.
pub(super) async fn about(
    node: &Node,
    equipe: &EquipeStatus,
    findings: &mut Vec<Finding>,
) -> Done<()> {
    let row = &equipe.row;
    if Standing::parse(&row.state) != Some(Standing::Active) {
        return Ok(());
    }
    let name = &row.name;
    let keys = show::of(node, &mut *node.store.read().await?, row).await?;
    let asked = keys.iter().find(|key| key.renewal_asked || !key.asked_by.is_empty());
    if let Some(key) = asked {
        let own = key.renewal_asked.then_some(&node.identity.node);
        let by: BTreeSet<&str> = key.asked_by.iter().chain(own).map(NodeId::as_str).collect();
        let (count, needed) = (by.len(), key.asked_needed);
        let by = by.into_iter().collect::<Vec<_>>().join(", ");
        if count >= needed {
            findings.push(finding(
                Severity::Next,
                "key_renewed",
                format!("{name}: new keys for tokens are made, as {by} asked"),
                &format!("made once all members are there: raccordo equipe keys '{name}'"),
                "the members' administrators",
            ));
            return Ok(());
        }
        let message = format!(
            "{name}: {by} asked for new keys, {count} of {needed}: all tokens would be made anew"
        );
        let step = format!("ask why; if you agree: raccordo equipe rekey '{name}'");
        findings.push(match key.renewal_asked {
            true => finding(
                Severity::Next,
                "key_renewal_asked",
                message,
                &step,
                "the members' administrators",
            ),
            false => yours(Severity::Next, "key_renewal_asked", message, &step),
        });
        if key.renewal_asked {
            return Ok(());
        }
    }
    let told = |code: AlarmCode| {
        let alarm = equipe.alarms.iter().find(|alarm| alarm.code == code);
        alarm.map(|alarm| alarm.detail.as_str())
    };
    if let Some(detail) = told(AlarmCode::KeyLost) {
        findings.push(yours(
            Severity::Problem,
            "key_lost",
            format!("{name}: no tokens are made, and nobody is matched: {detail}"),
            &format!("raccordo equipe rekey '{name}': new keys, and all tokens made anew"),
        ));
    } else if let Some(detail) = told(AlarmCode::KeyCeremonyFailed) {
        findings.push(finding(
            Severity::Warning,
            "key_not_made",
            format!("{name}: {detail}"),
            &format!(
                "raccordo equipe keys '{name}' says who is missing; if a member has lost its \
                 share for good, so that too few are left: raccordo equipe rekey '{name}'"
            ),
            "the members' administrators",
        ));
    }
    Ok(())
}
