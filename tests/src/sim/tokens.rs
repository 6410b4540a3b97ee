//! People whom several nodes know, and the tokens that are made of them: of the same values
//! under the same key always the same ones, whoever asks and whoever answers.

use std::collections::BTreeSet;

use raccordo_core::alarm::AlarmCode;
use raccordo_core::id::RecordId;
use raccordo_core::pseudonym::key::{Class, KeyEpoch};
use raccordo_core::register::{Entry, Field, Identity, RecordKind};
use raccordo_core::sending::Standing;
use raccordo_node::app::Node;
use raccordo_node::app::fault::Done;
use raccordo_node::app::matching::tokens::{Kept, kept};
use raccordo_node::app::pseudonym::rekey::rekey;
use raccordo_node::app::pseudonym::show;
use raccordo_node::app::register::add::{NewCase, add_case};

use super::couriers::down;
use super::founding::ADMINISTRATOR;
use super::operators::operator;
use super::parties::answered;
use super::task::ready;
use super::world::{EQUIPE, World};
use super::{Checked, Violation};

/// Reference, family name, given name, day of birth, phone.
const PEOPLE: [[&str; 5]; 3] = [
    ["one", "Hossain", "Md Kamal", "1990-03-04", "+39 055 123456"],
    ["two", "Rossi", "Maria", "1985-07-12", "+39 333 1234567"],
    ["three", "Diallo", "Amadou", "1998-11-23", "+39 347 7654321"],
];
/// How often administrators ask for other keys in one run without need.
const REKEYS_MAX: u64 = 4;

/// Tokens of one person, class and key epoch.
pub type Made = (usize, &'static str, KeyEpoch);

fn person([reference, family, given, born, phone]: [&str; 5]) -> Identity {
    let entry = |field, parts: &[&str]| Entry::new(field, parts.iter().map(|it| (*it).to_owned()));
    let entries = vec![
        entry(Field::Reference, &[reference]),
        entry(Field::Name, &[family, given]),
        entry(Field::BirthDate, &[born]),
        entry(Field::Phone, &[phone]),
    ];
    Identity { kind: RecordKind::Person, sole_trader: false, entries }
}

/// All tokens that a node keeps of a record.
async fn tokens(node: &Node, record: RecordId) -> Done<Vec<Kept>> {
    let mut tx = node.store.read().await?;
    let mut all = Vec::new();
    for row in tx.equipes().await? {
        all.extend(kept(node, &mut *tx, row.lineage, record).await?);
    }
    Ok(all)
}

/// Whether a key can only be replaced by a new one: shares were lost.
async fn lost(node: &Node) -> Done<bool> {
    let mut tx = node.store.read().await?;
    let Some(row) = tx.equipes().await?.into_iter().next() else { return Ok(false) };
    let alarms = tx.alarms(row.lineage).await?;
    let failed = [AlarmCode::KeyLost, AlarmCode::KeyCeremonyFailed];
    let sharings = tx.key_sharings(row.lineage).await?;
    Ok(row.state == Standing::Active.as_str()
        && alarms.iter().any(|alarm| failed.contains(&alarm.code))
        && sharings.iter().any(|row| row.renewal != "removal" && !row.asked))
}

impl World {
    /// An operator enters a person, or meets the same one again.
    ///
    /// # Errors
    /// What the use case must not answer.
    pub fn meet(&mut self, place: usize) -> Checked<String> {
        let Some(node) = self.node(place) else { return Ok("down".into()) };
        let who = usize::try_from(self.dice.below(PEOPLE.len() as u64)).unwrap_or(0);
        let Some(words) = PEOPLE.get(who) else { return Ok("nobody".into()) };
        let case = NewCase::default();
        let added = ready(add_case(&node, &operator(), person(*words), case))?;
        match added {
            Ok(Ok(added)) => {
                self.people.insert((node.identity.node.clone(), added.record), who);
                self.watch_tokens(place)?;
                Ok(format!("{who}"))
            }
            Ok(Err(invalid)) => Err(Violation(format!("a person is invalid: {invalid:?}"))),
            Err(fault) if down(&fault) => Ok(fault.reason.into()),
            Err(fault) => Err(fault.into()),
        }
    }

    /// An administrator asks for other keys, without need.
    ///
    /// # Errors
    /// What the use case must not answer.
    pub fn rekey(&mut self, place: usize) -> Checked<String> {
        let Some(node) = self.node(place) else { return Ok("down".into()) };
        if self.counts.of("other keys asked for") >= REKEYS_MAX {
            return Ok("enough".into());
        }
        let words = answered(ready(rekey(&node, ADMINISTRATOR, EQUIPE))?)?;
        if words.is_ok() {
            self.counts.count("other keys asked for");
        }
        Ok(words.map_or_else(str::to_owned, |request| {
            format!("{} of {}", request.asked, request.needed)
        }))
    }

    /// Where shares were lost, an administrator lets a new key be made.
    ///
    /// # Errors
    /// What the use case must not answer.
    pub fn replace_lost_keys(&mut self) -> Checked {
        for place in self.machines() {
            let Some(node) = self.node(place) else { continue };
            if ready(lost(&node))?? {
                let words = answered(ready(rekey(&node, ADMINISTRATOR, EQUIPE))?)?;
                self.counts.count("lost keys replaced");
                self.trace.note(&format!("  member {place} replaces the keys: {words:?}"));
                return self.after();
            }
        }
        Ok(())
    }

    /// What a machine keeps of a person is what was ever made of that one under the key.
    ///
    /// # Errors
    /// It is not.
    pub fn watch_tokens(&mut self, place: usize) -> Checked {
        let Some(node) = self.node(place) else { return Ok(()) };
        if self.was_lied() && self.is_victim(place) {
            return Ok(());
        }
        let me = node.identity.node.clone();
        let known: Vec<_> = self.people.iter().filter(|((at, _), _)| *at == me).collect();
        let known: Vec<_> = known.into_iter().map(|((_, record), who)| (*record, *who)).collect();
        for (record, who) in known {
            let kept = ready(tokens(&node, record))??;
            for class in Class::ALL {
                let of = kept.iter().filter(|one| one.key.class == class);
                let Some(epoch) = of.clone().map(|one| one.key.epoch).next() else { continue };
                let made: BTreeSet<_> = of.map(|one| *one.token.reveal()).collect();
                let key: Made = (who, class.name(), epoch);
                let first = self.tokens.entry(key).or_insert_with(|| made.clone());
                if *first != made {
                    let what = format!("{me} has other tokens of person {who}, {class}, {epoch}");
                    return Err(Violation(what));
                }
            }
        }
        Ok(())
    }

    /// At the end of a run in which the hub was honest: every holder that has lost nothing has
    /// its share, and every member that has a share of the
    /// key in force has the tokens that it wants. A key that failed to be made, or of which too
    /// many shares are lost, waits for an administrator; how many there are is counted.
    ///
    /// # Errors
    /// It has not.
    pub fn check_tokens(&mut self) -> Checked {
        for place in self.machines() {
            self.watch_tokens(place)?;
            let Some(node) = self.node(place) else { continue };
            let me = node.identity.node.clone();
            if !self.rolls.is_member(&me) || self.rolls.members().len() < 2 {
                continue;
            }
            for key in ready(show::show(&node, EQUIPE))?? {
                let steady = self.rolls.is_steady(&me) && !self.rewound.contains(&me);
                let holds = key.holders.contains(&me) && key.renewal.is_empty();
                if steady && holds && !key.own_share {
                    let what = format!("{me} is a holder, and has no share of {}", key.class);
                    return Err(Violation(what));
                }
                let waiting = key.wanted + key.asked;
                let in_force = key.key_epoch > 0 && key.own_share && key.renewal.is_empty();
                self.counts.count(if in_force { "keys held" } else { "keys that wait" });
                if in_force && waiting > 0 {
                    let what = format!("{me} waits for tokens of {} for ever", key.class);
                    return Err(Violation(what));
                }
            }
        }
        self.counts.add("sets of tokens", self.tokens.len() as u64);
        Ok(())
    }
}
