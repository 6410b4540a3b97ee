//! From three nodes that know nobody to an équipe that shares alerts, as people do it.

use anyhow::ensure;

use super::command::text;
use super::{EQUIPE, Federation, MEMBERS, NODES, RELAY, Suite, TOSCANA, UMBRIA, until};

impl Federation {
    /// Every node verifies every other.
    ///
    /// # Errors
    /// The first step that fails.
    pub async fn introduce_all(&self) -> anyhow::Result<()> {
        for id in NODES {
            self.export_card(id).await?;
        }
        for (one, other) in [(TOSCANA, UMBRIA), (TOSCANA, RELAY), (UMBRIA, RELAY)] {
            self.introduce(one, other).await?;
            self.introduce(other, one).await?;
            let (here, there) = (self.code(one, other).await?, self.code(other, one).await?);
            ensure!(here == there, "{one} and {other} see different words");
            self.verify(one, other).await?;
            self.verify(other, one).await?;
        }
        Ok(())
    }

    /// Writes a node's card where others find it.
    ///
    /// # Errors
    /// As [`super::Node::run`].
    pub async fn export_card(&self, id: &str) -> anyhow::Result<()> {
        let card = self.path(&format!("{id}.card"));
        self.node(id)?.run(&["trust", "export", "--out", &card.to_string_lossy()]).await?;
        Ok(())
    }

    /// `id` adds the card of `peer`.
    ///
    /// # Errors
    /// As [`super::Node::run`].
    pub async fn introduce(&self, id: &str, peer: &str) -> anyhow::Result<()> {
        let card = self.path(&format!("{peer}.card"));
        self.node(id)?.run(&["trust", "add", &card.to_string_lossy()]).await?;
        Ok(())
    }

    /// `id` verifies `peer` by the words that `peer` sees.
    ///
    /// # Errors
    /// As [`super::Node::run`].
    pub async fn verify(&self, id: &str, peer: &str) -> anyhow::Result<()> {
        let words = self.code(peer, id).await?;
        self.node(id)?.run(&["trust", "verify", peer, "--code", &words]).await?;
        Ok(())
    }

    async fn code(&self, id: &str, peer: &str) -> anyhow::Result<String> {
        let shown = self.node(id)?.first(&["trust", "show", peer]).await?;
        Ok(text(&shown, "/code").to_owned())
    }

    /// The pact is drafted, signed by both, and accepted by the hub.
    ///
    /// # Errors
    /// The first step that fails.
    pub async fn agree(&self) -> anyhow::Result<()> {
        self.sign().await?;
        let relay = self.node(RELAY)?;
        until("the offer at the relay", async || {
            let carried = relay.run(&["hub", "list"]).await?;
            Ok(carried.iter().any(|row| text(row, "/state") == "waiting").then_some(()))
        })
        .await?;
        relay.run(&["hub", "accept", EQUIPE]).await?;
        Ok(())
    }

    /// The pact is drafted, and signed by both.
    ///
    /// # Errors
    /// The first step that fails.
    pub async fn sign(&self) -> anyhow::Result<()> {
        let (toscana, umbria) = (self.node(TOSCANA)?, self.node(UMBRIA)?);
        let draft = self.path("pact.toml");
        let draft = draft.to_string_lossy();
        let suite = match self.setting.suite {
            Suite::Hybrid => "hybrid",
            Suite::Classical => "classical",
        };
        let parties = MEMBERS.join(",");
        let drafting = ["pact", "draft", "--equipe", EQUIPE, "--parties", &parties];
        let rest = ["--hub", RELAY, "--out", &draft, "--example", "--ciphersuite", suite];
        toscana.run(&[&drafting[..], &rest[..]].concat()).await?;
        if let Some(tokens) = self.setting.budget {
            let path = self.path("pact.toml");
            let text = std::fs::read_to_string(&path)?;
            let line = |line: &str| match line.split_once("_per_day = ") {
                Some((class, _)) => format!("{class}_per_day = {tokens}\n"),
                None => format!("{line}\n"),
            };
            std::fs::write(&path, text.lines().map(line).collect::<String>())?;
        }
        toscana.run(&["pact", "sign", &draft, "--yes"]).await?;
        toscana.run(&["pact", "propose", EQUIPE]).await?;
        until("the proposal at umbria", async || {
            Ok((!umbria.run(&["pact", "list"]).await?.is_empty()).then_some(()))
        })
        .await?;
        umbria.run(&["pact", "sign", EQUIPE, "--yes"]).await?;
        Ok(())
    }

    /// The chair creates the équipe; both have joined when this returns.
    ///
    /// # Errors
    /// The first step that fails.
    pub async fn create(&self) -> anyhow::Result<()> {
        self.begin_to_create().await?;
        self.all_joined().await
    }

    /// The chair creates the équipe; nobody may have joined when this returns.
    ///
    /// # Errors
    /// The first step that fails.
    pub async fn begin_to_create(&self) -> anyhow::Result<()> {
        let toscana = self.node(TOSCANA)?;
        until("the hub's consent at toscana", async || {
            let findings = toscana.findings().await?;
            let ready = findings.iter().any(|found| found.code == "equipe_to_create");
            Ok(ready.then_some(()))
        })
        .await?;
        toscana.run(&["equipe", "create", EQUIPE]).await?;
        Ok(())
    }

    /// Both have joined, as the chair knows, and both may send.
    ///
    /// # Errors
    /// They have not in time.
    pub async fn all_joined(&self) -> anyhow::Result<()> {
        until("all members to have joined", async || {
            let chair = self.node(TOSCANA)?.equipe().await?;
            let joined = chair.members.iter().filter(|member| member.joined).count();
            let other = self.node(UMBRIA)?.equipe().await?;
            let open = chair.sending == "open" && other.sending == "open";
            Ok((open && joined == MEMBERS.len()).then_some(()))
        })
        .await
    }

    /// An organisation and a case manager at a node.
    ///
    /// # Errors
    /// The first step that fails.
    pub async fn staff(&self, id: &str) -> anyhow::Result<()> {
        let node = self.node(id)?;
        let class = ["--class", "access_point"];
        node.run(&[&["organisation", "add", "Sportello"], &class[..]].concat()).await?;
        let token = node.token_file();
        let token = token.to_string_lossy();
        let add = ["operator", "add", "anna", "--organisation", "Sportello"];
        let rest = ["--role", "case_manager", "--token-out", &token];
        node.run(&[&add[..], &rest[..]].concat()).await?;
        Ok(())
    }
}
