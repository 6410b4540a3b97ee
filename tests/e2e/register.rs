//! The register of a node: what is stolen shows nothing, and a killed import goes on.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use raccordo_tests::canary::{Canaries, Findings};
use raccordo_tests::federation::{Database, Federation, NODES, Setting, TOSCANA, UMBRIA, until};
use serde_json::{Value, json};
use sqlx::{AnyConnection, Connection as _};
use uuid::Uuid;

use crate::canary::values;

/// Lines of the file whose import is killed: many batches.
const PEOPLE: usize = 1_500;

fn named(world: &Federation, name: &str) -> String {
    world.path(name).to_string_lossy().into_owned()
}

async fn ids(world: &Federation, at: &str) -> anyhow::Result<BTreeSet<String>> {
    let cases = world.node(at)?.run(&["case", "list"]).await?;
    let mut ids = BTreeSet::new();
    for case in cases {
        let id = case["id"].as_str().unwrap_or_default().to_owned();
        ensure!(ids.insert(id), "listed twice: {case}");
    }
    Ok(ids)
}

/// The command and then the node are killed in the middle of an import; the same command, run
/// again, ends it: no line twice, none lost.
pub async fn a_killed_import_goes_on(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let file = named(&world, "casi.csv");
    let mut text = "Cognome;Nome;Data di nascita;Telefono\n".to_owned();
    for number in 0..PEOPLE {
        // Every hundredth line is refused.
        let born = if number % 100 == 0 { "ieri" } else { "2/3/1985" };
        writeln!(text, "Cognome{number};Nome;{born};055 {number}")?;
    }
    fs::write(&file, text)?;
    let import = ["case", "import", &file];
    tokio::select! {
        // Dropped, which kills it, as soon as something is stored.
        ended = world.node(TOSCANA)?.run(&import) => drop(ended?),
        seen = until("the first cases", async || {
            Ok((!ids(&world, TOSCANA).await?.is_empty()).then_some(()))
        }) => seen?,
    }
    world.node_mut(TOSCANA)?.kill().await?;
    world.node_mut(TOSCANA)?.start().await?;

    let before = ids(&world, TOSCANA).await?;
    let lines = world.node(TOSCANA)?.run(&import).await?;
    let (done, refused) = lines.split_last().context("nothing printed")?;
    let good = PEOPLE - PEOPLE / 100;
    ensure!(done["added"] == good && done["refused"] == PEOPLE / 100, "{done}");
    ensure!(refused.len() == PEOPLE / 100 && refused[0]["line"] == 2, "{refused:?}");
    ensure!(refused.iter().all(|line| line["field"] == "birth_date"), "{refused:?}");
    let after = ids(&world, TOSCANA).await?;
    ensure!(after.len() == good, "{} cases", after.len());
    ensure!(after.is_superset(&before));
    // A third time changes nothing.
    world.node(TOSCANA)?.run(&import).await?;
    ensure!(ids(&world, TOSCANA).await? == after);
    ensure!(ids(&world, UMBRIA).await?.is_empty());
    Ok(())
}

/// Values of the register stand in no database, write-ahead log, backup or log of any node;
/// those who may read them do.
pub async fn the_register_is_sealed(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting.log("info,raccordo_node=trace")).await?;
    let marks: Vec<Uuid> = (0..9).map(|_| Uuid::new_v4()).collect();
    let secret: Vec<String> = marks.iter().map(Uuid::to_string).collect();
    let canaries = Canaries::new(marks);
    let node = world.node(TOSCANA)?;
    let person = json!({"person": {
        "names": [{"family": secret[0], "given": secret[1]}],
        "fiscalCodes": [secret[2]],
        "documents": [{"kind": "passport", "number": secret[3], "country": "BD"}],
        "phones": [secret[4]],
        "addresses": [{"street": secret[5], "comune": "048017"}],
        "reference": secret[6],
    }});
    let added = node.run_with(&["case", "add", "-"], Some(&person.to_string())).await?;
    let id = added[0]["id"].as_str().context("no id")?.to_owned();
    let record: Uuid = added[0]["record"].as_str().context("no record")?.parse()?;
    let file = named(&world, "imprese.csv");
    fs::write(&file, format!("Ragione sociale,Partita IVA\n{},{}\n", secret[7], secret[8]))?;
    node.run(&["company", "import", &file]).await?;
    fs::remove_file(&file)?;

    // Whoever may read them does, and a refusal does not repeat them.
    let shown = node.first(&["case", "show", &id, "--purpose", "protection"]).await?;
    ensure!(shown["person"]["phones"][0] == json!(secret[4]), "{shown}");
    let sought = json!({"person": {"names": [{"family": secret[1], "given": secret[0]}]}});
    let find = ["case", "list", "--find", "-"];
    let found = node.run_with(&find, Some(&sought.to_string())).await?;
    ensure!(found[0]["cases"][0]["id"] == json!(id), "{found:?}");
    let bad = json!({"person": {"birthDates": [secret[0]], "phones": [secret[4]]}});
    let refused = node.run_with(&["case", "add", "-"], Some(&bad.to_string())).await;
    let refused = format!("{:#}", refused.err().context("it was added")?);
    ensure!(refused.contains("invalid_record"), "{refused}");
    ensure!(!refused.contains(&secret[0]) && !refused.contains(&secret[4]), "{refused}");
    let listed = node.run(&["company", "list"]).await?;
    ensure!(listed.len() == 1, "{listed:?}");
    let phrase = named(&world, "phrase");
    private(Path::new(&phrase), "cinque parole scelte a caso")?;
    let backup = named(&world, "toscana.backup");
    node.run(&["backup", "create", "--out", &backup, "--passphrase-file", &phrase]).await?;

    let mut found = Findings::default();
    let look = |world: &Federation, found: &mut Findings| -> anyhow::Result<()> {
        for node in NODES {
            canaries.search_files(world.node(node)?.home().path(), found)?;
            canaries.search_files(world.node(node)?.log(), found)?;
        }
        canaries.search_files(Path::new(&backup), found)
    };
    // As a thief finds the running node's files, with the write-ahead log, and the stopped one's.
    look(&world, &mut found)?;
    world.node_mut(TOSCANA)?.stop().await?;
    look(&world, &mut found)?;
    ensure!(found.found.is_empty(), "in files: {:?}", found.places);
    ensure!(found.searched > 10_000, "only {} bytes of files", found.searched);

    // As control: the record's id, which is no secret, is in the database.
    let known = Canaries::new([record]);
    let mut control = Findings::default();
    match setting.database {
        Database::Sqlite => {
            known.search_files(world.node(TOSCANA)?.home().path(), &mut control)?;
        }
        Database::Postgres => {
            sqlx::any::install_default_drivers();
            let url = world.node(TOSCANA)?.database_url()?;
            let mut connection = AnyConnection::connect(&url).await?;
            for value in values(&mut connection).await? {
                canaries.search(&value, "the database", &mut found);
                known.search(&value, "the database", &mut control);
            }
            connection.close().await?;
            ensure!(found.found.is_empty(), "in the database: {:?}", found.places);
        }
    }
    ensure!(control.ids().contains(&record), "the rows were not read: {control:?}");
    world.node_mut(TOSCANA)?.start().await?;
    erased(&world, &id).await
}

async fn erased(world: &Federation, id: &str) -> anyhow::Result<()> {
    let node = world.node(TOSCANA)?;
    node.run(&["case", "erase", id, "--yes"]).await?;
    let shown = node.first(&["case", "show", id]).await?;
    ensure!(shown["state"] == "erased" && shown["person"] == Value::Object(Default::default()));
    node.verify_audit().await?;
    Ok(())
}

/// A file as administrators keep their passphrases.
fn private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, format!("{text}\n"))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(())
}
