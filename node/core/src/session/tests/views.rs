//! What OpenMLS lets pass shows in the views, where the validator reads it; what no view
//! could show is refused.

use openmls::group::MlsGroup;
use openmls::messages::group_info::VerifiableGroupInfo;
use openmls::prelude::{
    BasicCredential, CredentialWithKey, Extension, Extensions, LeafNodeParameters, NewSignerBundle,
    RatchetTreeIn, RequiredCapabilitiesExtension,
};
use openmls::schedule::{ExternalPsk, PreSharedKeyId, Psk};
use openmls_traits::OpenMlsProvider as _;
use tls_codec::DeserializeBytes as _;

use super::lab::{Disk, keys};
use super::*;

type Builder<'a> = openmls::group::CommitBuilder<'a, openmls::group::Initial, &'a mut MlsGroup>;

/// A commit of umbria made past our own `stage`.
fn raw(lab: &mut Lab, change: impl FnOnce(Builder<'_>) -> Builder<'_>) -> Staged {
    let node = lab.node("umbria").clone();
    let mut session = node.load().unwrap();
    let builder = change(session.group.commit_builder().force_self_update(true));
    let builder = builder.load_psks(&session.provider.ledger).unwrap();
    let builder = builder.use_ratchet_tree_extension(false).create_group_info(true);
    let crypto = &*session.provider.crypto;
    let built = builder.build(crypto, crypto, &node.keys, |_| true).unwrap();
    let bundle = built.stage_commit(&session.provider).unwrap();
    let (commit, _, info) = bundle.into_messages();
    let (commit, group_info) = (commit.to_bytes().unwrap(), info.unwrap().to_bytes().unwrap());
    Staged { commit, group_info, welcome: None }
}

/// The view at the hub, which is also what toscana sees.
fn seen(lab: &mut Lab, staged: &Staged) -> CommitView {
    let at_hub = lab.append("umbria", staged).unwrap();
    let got = lab.node("toscana").process(&staged.commit).unwrap();
    let Processed::CommitMerged { commit, .. } = got else { panic!("{got:?}") };
    assert_eq!(commit, at_hub);
    at_hub
}

#[test]
fn a_context_without_statement_shows() {
    let mut lab = Lab::found(Suite::Classical, "dropped", &["toscana", "umbria"]);
    let staged = raw(&mut lab, |builder| {
        let required = view::context_extensions(b"").unwrap().required_capabilities().cloned();
        let only = Extension::RequiredCapabilities(required.unwrap());
        builder.propose_group_context_extensions(Extensions::single(only).unwrap()).unwrap()
    });
    let view = seen(&mut lab, &staged);
    assert_eq!((view.statement_after, view.context_exact), (None, false));
}

#[test]
fn a_context_with_other_requirements_shows() {
    let mut lab = Lab::found(Suite::Classical, "weaker", &["toscana", "umbria"]);
    let staged = raw(&mut lab, |builder| {
        let mut both = view::context_extensions(b"s").unwrap();
        let weaker = RequiredCapabilitiesExtension::new(
            &[openmls::prelude::ExtensionType::Unknown(STATEMENT)],
            &[],
            &[],
        );
        both.add_or_replace(Extension::RequiredCapabilities(weaker)).unwrap();
        builder.propose_group_context_extensions(both).unwrap()
    });
    let view = seen(&mut lab, &staged);
    assert_eq!((view.statement_after, view.context_exact), (Some(b"s".to_vec()), false));
}

#[test]
fn a_leaf_without_card_shows() {
    let mut lab = Lab::found(Suite::Classical, "cardless", &["toscana", "umbria"]);
    let staged = raw(&mut lab, |builder| {
        let none = LeafNodeParameters::builder().with_extensions(Extensions::empty());
        builder.leaf_node_parameters(none.build())
    });
    let leaf = seen(&mut lab, &staged).path_leaf.unwrap();
    assert_eq!((leaf.card, leaf.extensions_exact), (None, false));
}

#[test]
fn a_leaf_that_changes_its_name_shows() {
    for (name, expected) in [("calabria", Some("calabria".parse().unwrap())), ("Città", None)] {
        let mut lab = Lab::found(Suite::Classical, "renamed", &["toscana", "umbria"]);
        let (node, new) = (lab.node("umbria").clone(), keys("umbria", 2));
        let mut session = node.load().unwrap();
        let builder = session.group.commit_builder().force_self_update(true);
        let builder = builder.load_psks(&session.provider.ledger).unwrap().create_group_info(true);
        let crypto = &*session.provider.crypto;
        let credential_with_key = CredentialWithKey {
            credential: BasicCredential::new(name.as_bytes().to_vec()).into(),
            signature_key: new.public().to_vec().into(),
        };
        let bundle = NewSignerBundle { signer: &new, credential_with_key };
        let built = builder.build_with_new_signer(crypto, crypto, &node.keys, bundle, |_| true);
        let bundle = built.unwrap().stage_commit(&session.provider).unwrap();
        let (commit, _, info) = bundle.into_messages();
        let (commit, group_info) = (commit.to_bytes().unwrap(), info.unwrap().to_bytes().unwrap());
        let staged = Staged { commit, group_info, welcome: None };
        assert_eq!(seen(&mut lab, &staged).path_leaf.unwrap().node, expected);
    }
}

#[test]
fn a_foreign_proposal_shows() {
    let mut lab = Lab::found(Suite::Classical, "psk", &["toscana", "umbria"]);
    let node = lab.node("umbria").clone();
    let mut session = node.load().unwrap();
    let external = Psk::External(ExternalPsk::new(b"psk".to_vec()));
    let id = PreSharedKeyId::new(Suite::Classical.mls(), &*session.provider.crypto, external);
    let id = id.unwrap();
    id.store(&session.provider, b"secret").unwrap();
    let proposal = openmls::prelude::PreSharedKeyProposal::new(id);
    let builder = session.group.commit_builder().force_self_update(true);
    let builder =
        builder.add_proposal(openmls::prelude::Proposal::PreSharedKey(Box::new(proposal)));
    let builder = builder.load_psks(&session.provider.ledger).unwrap().create_group_info(true);
    let crypto = &*session.provider.crypto;
    let built = builder.build(crypto, crypto, &node.keys, |_| true).unwrap();
    let (commit, _, info) = built.stage_commit(&session.provider).unwrap().into_messages();
    let (commit, group_info) = (commit.to_bytes().unwrap(), info.unwrap().to_bytes().unwrap());
    let view = lab.append("umbria", &Staged { commit: commit.clone(), group_info, welcome: None });
    assert_eq!(view.unwrap().foreign_proposal.as_deref(), Some("presharedkey"));
    refused(lab.node("toscana").process(&commit), "invalid_commit");
}

#[test]
fn external_commits_are_refused() {
    let mut lab = Lab::found(Suite::Classical, "external", &["toscana", "umbria"]);
    let staged = lab.node("umbria").stage(&update());
    lab.append("umbria", &staged).unwrap();
    lab.deliver(&staged.commit, &[]);
    let tree = lab.hub_group().tree().unwrap();
    let tree = RatchetTreeIn::tls_deserialize_exact_bytes(&tree).unwrap();
    let provider = openmls_rust_crypto::OpenMlsRustCrypto::default();
    let stranger = keys("umbria", 1);
    let parameters = LeafNodeParameters::builder()
        .with_capabilities(view::capabilities(Suite::Classical))
        .with_extensions(view::leaf_extensions(&stranger.card).unwrap());
    let info: VerifiableGroupInfo = group_info(&staged.group_info).unwrap();
    let (_, bundle) = MlsGroup::external_commit_builder()
        .with_ratchet_tree(tree)
        .with_config(join_config())
        .build_group(&provider, info, stranger.credential())
        .unwrap()
        .leaf_node_parameters(parameters.build())
        .load_psks(provider.storage())
        .unwrap()
        .create_group_info(true)
        .build(provider.rand(), provider.crypto(), &stranger, |_| true)
        .unwrap()
        .finalize(&provider)
        .unwrap();
    let (commit, _, info) = bundle.into_messages();
    let (commit, group_info) = (commit.to_bytes().unwrap(), info.unwrap().to_bytes().unwrap());
    refused(lab.node("toscana").process(&commit), "unknown_sender");
    let staged = Staged { commit, group_info, welcome: None };
    refused_by_hub(lab.append("umbria", &staged), "unknown_sender");
}

/// Whatever a peer sends: no panic, and nothing is stored.
#[test]
fn bent_and_cut_commits_store_nothing() {
    let mut lab = Lab::found(Suite::Classical, "bytes", &["toscana", "umbria"]);
    let staged = lab.node("umbria").stage(&statement(b"statement 3"));
    let (hub, toscana): (Disk, Disk) = (lab.hub.clone(), lab.node("toscana").disk.clone());
    for from_end in (1..=staged.commit.len()).step_by(7) {
        let cut = staged.commit[..staged.commit.len() - from_end].to_vec();
        for commit in [bent(&staged.commit, from_end), cut] {
            assert!(lab.node("toscana").process(&commit).is_err(), "{from_end} from the end");
            assert_eq!(lab.node("toscana").disk, toscana);
            let handed_in = lab.append("umbria", &Staged { commit, ..staged.clone() });
            // The membership tag, the last 32 bytes, is a secret of the members.
            assert!(handed_in.is_err() || from_end <= 32);
            lab.hub = hub.clone();
        }
    }
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?}", keys("umbria", 1));
    assert_eq!(shown, "LeafKeys(umbria, [secret])");
    let node = Node::new("umbria", "shown", GroupId([7; 32]));
    let founded = Session::found(&node.crypto, &node.keys, node.id, Suite::Classical, b"s");
    let (session, _) = founded.unwrap();
    assert!(format!("{session:?}").ends_with(", epoch 0)"));
}
