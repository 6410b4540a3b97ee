//! Configuration, key, token and database as they should not be: each told, with the exit
//! code, whose it is and what to do.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use anyhow::ensure;
use raccordo_tests::federation::{EQUIPE, Federation, Setting, TOSCANA};
use sqlx::{AnyConnection, Connection as _, Executor as _};

/// A stopped node whose files can be spoiled.
async fn stopped(setting: Setting) -> anyhow::Result<Federation> {
    let mut world = Federation::empty(setting)?;
    world.add(TOSCANA).await?;
    world.node_mut(TOSCANA)?.stop().await?;
    Ok(world)
}

/// The daemon does not start, ends with `exit`, and says all of `parts`.
async fn check(world: &Federation, exit: i32, parts: &[&str]) -> anyhow::Result<()> {
    let (code, told) = world.node(TOSCANA)?.start_in_vain().await?;
    ensure!(code == Some(exit), "exit {code:?} instead of {exit}: {told}");
    for part in parts {
        ensure!(told.contains(part), "no `{part}` in: {told}");
    }
    ensure!(!told.contains("panicked"), "{told}");
    Ok(())
}

/// What the daemon refuses to start with; put right, it starts.
pub async fn the_daemon_refuses(setting: Setting) -> anyhow::Result<()> {
    let mut world = stopped(setting).await?;
    let home = world.node(TOSCANA)?.home().clone();
    let config = fs::read_to_string(home.config())?;

    fs::write(home.config(), config.replace("[database]", "[database]\ncolour = \"red\""))?;
    check(&world, 2, &["raccordo.toml", "colour = \"red\"", "unknown field"]).await?;
    fs::write(home.config(), config.replace("[database]", "[databse]"))?;
    check(&world, 2, &["[databse]", "unknown field"]).await?;
    fs::write(home.config(), config.replace("\"toscana\"", "\"Toscana!\""))?;
    check(&world, 2, &["Toscana!", "lower-case letters"]).await?;
    fs::write(home.config(), config.replace("\"toscana\"", "\"umbria\""))?;
    check(&world, 6, &["holds the node toscana, not umbria", "hint: "]).await?;
    fs::remove_file(home.config())?;
    check(&world, 2, &["raccordo.toml is missing", "raccordo init"]).await?;
    fs::write(home.config(), &config)?;

    let key = fs::read(home.key())?;
    fs::set_permissions(home.key(), Permissions::from_mode(0o644))?;
    check(&world, 2, &["node.key has mode 0644", "chmod 0600"]).await?;
    fs::set_permissions(home.key(), Permissions::from_mode(0o600))?;
    fs::write(home.key(), format!("{}\n", "7".repeat(64)))?;
    check(&world, 2, &["node key"]).await?;
    fs::write(home.key(), "not a key")?;
    check(&world, 2, &["holds no node key"]).await?;
    fs::remove_file(home.key())?;
    check(&world, 2, &["node.key"]).await?;
    fs::write(home.key(), &key)?;
    fs::set_permissions(home.key(), Permissions::from_mode(0o600))?;

    fs::set_permissions(home.data(), Permissions::from_mode(0o755))?;
    check(&world, 2, &["has mode 0755", "chmod 0700"]).await?;
    fs::set_permissions(home.data(), Permissions::from_mode(0o700))?;

    world.node_mut(TOSCANA)?.start().await?;
    check(&world, 6, &["in use by another process", "pid"]).await?;
    ensure!(world.node(TOSCANA)?.status().await?.ready, "the first daemon has suffered");
    Ok(())
}

/// A database that a newer version has migrated is not touched.
pub async fn a_newer_schema(setting: Setting) -> anyhow::Result<()> {
    const LATER: &str = "INSERT INTO _sqlx_migrations \
        SELECT 9999, description, installed_on, success, checksum, execution_time \
        FROM _sqlx_migrations WHERE version = 1";
    let world = stopped(setting).await?;
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(&world.node(TOSCANA)?.database_url()?).await?;
    connection.execute(LATER).await?;
    connection.close().await?;
    check(&world, 2, &["schema 9999", "install the newer version"]).await
}

/// A PostgreSQL that does not answer.
pub async fn an_unreachable_database(setting: Setting) -> anyhow::Result<()> {
    let world = stopped(setting).await?;
    let home = world.node(TOSCANA)?.home().clone();
    let config = fs::read_to_string(home.config())?;
    let other = "[database]\nurl = \"postgres://node@127.0.0.1:1/raccordo\"\n[key]\n";
    let (before, rest) = config.split_once("[database]").unwrap_or_default();
    let (_, after) = rest.split_once("[key]").unwrap_or_default();
    fs::write(home.config(), format!("{before}{other}{after}"))?;
    check(&world, 5, &["database is not available", "hint: "]).await
}

/// What the command line refuses before and after it has reached the node.
pub async fn the_command_line_refuses(setting: Setting) -> anyhow::Result<()> {
    let mut world = stopped(setting).await?;
    let list = ["alert", "list", "--equipe", EQUIPE];
    let token = world.node(TOSCANA)?.token_file();
    let check = async |world: &Federation, args: &[&str], exit: i32, code: &str| {
        let refused = world.node(TOSCANA)?.refused(args).await?;
        ensure!(refused.exit == exit && refused.code == code, "{refused}");
        ensure!(!refused.hint.is_empty() && !refused.message.is_empty(), "{refused}");
        Ok(())
    };
    check(&world, &["status"], 5, "not_running").await?;
    let again = ["init", "--id", TOSCANA, "--name", "again"];
    check(&world, &again, 6, "already_initialised").await?;

    world.node_mut(TOSCANA)?.start().await?;
    check(&world, &list, 2, "no_such_file").await?;
    fs::write(&token, "a token with spaces\n")?;
    fs::set_permissions(&token, Permissions::from_mode(0o644))?;
    check(&world, &list, 2, "token_file_open").await?;
    fs::set_permissions(&token, Permissions::from_mode(0o600))?;
    check(&world, &list, 2, "bad_token_file").await?;
    fs::write(&token, "not-a-token\n")?;
    check(&world, &list, 3, "wrong_token").await?;
    fs::remove_file(&token)?;
    world.staff(TOSCANA).await?;
    check(&world, &list, 4, "no_such_equipe").await?;
    world.node(TOSCANA)?.run(&["operator", "disable", "anna"]).await?;
    check(&world, &list, 3, "wrong_token").await
}
