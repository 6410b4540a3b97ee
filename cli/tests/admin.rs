//! The administrators' commands against services with fixed answers.

#![allow(clippy::unwrap_used, reason = "clippy exempts test functions, not what they share")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use raccordo_proto::admin::v1::directory_service_server::{
    DirectoryService, DirectoryServiceServer,
};
use raccordo_proto::admin::v1::node_service_server::{NodeService, NodeServiceServer};
use raccordo_proto::admin::v1::*;
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{Request, Response, Status, transport::Server};

type Answer<T> = Result<Response<T>, Status>;

/// Is ready at the third question; knows the organisation `PUA` alone.
#[derive(Clone, Default)]
struct Fake {
    asked: Arc<AtomicU32>,
}

#[tonic::async_trait]
impl NodeService for Fake {
    async fn status(&self, _: Request<StatusRequest>) -> Answer<StatusResponse> {
        let ready = self.asked.fetch_add(1, Ordering::SeqCst) >= 2;
        let node = "toscana".to_owned();
        Ok(Response::new(StatusResponse { node, ready, ..StatusResponse::default() }))
    }

    async fn doctor(&self, _: Request<DoctorRequest>) -> Answer<DoctorResponse> {
        let finding = |severity: &str| Finding {
            severity: severity.to_owned(),
            code: "hub_unreachable".to_owned(),
            message: "relay does not answer".to_owned(),
            step: "open port 7443".to_owned(),
            whose: "relay, administrator".to_owned(),
        };
        Ok(Response::new(DoctorResponse { findings: vec![finding("ok"), finding("problem")] }))
    }
}

#[tonic::async_trait]
impl DirectoryService for Fake {
    async fn add_operator(
        &self,
        request: Request<AddOperatorRequest>,
    ) -> Answer<AddOperatorResponse> {
        let AddOperatorRequest { name, organisation, role } = request.into_inner();
        if organisation != "PUA" {
            return Err(Status::not_found("there is no such organisation"));
        }
        let id = "1".to_owned();
        let operator = Some(Operator { id, name, organisation, role, enabled: true });
        Ok(Response::new(AddOperatorResponse { operator, token: "secret".to_owned() }))
    }

    async fn add_organisation(
        &self,
        _: Request<AddOrganisationRequest>,
    ) -> Answer<AddOrganisationResponse> {
        Err(Status::already_exists("there is one of this name"))
    }

    async fn list_organisations(
        &self,
        _: Request<ListOrganisationsRequest>,
    ) -> Answer<ListOrganisationsResponse> {
        Ok(Response::new(ListOrganisationsResponse::default()))
    }

    async fn list_operators(
        &self,
        _: Request<ListOperatorsRequest>,
    ) -> Answer<ListOperatorsResponse> {
        Ok(Response::new(ListOperatorsResponse::default()))
    }

    async fn set_operator_role(
        &self,
        _: Request<SetOperatorRoleRequest>,
    ) -> Answer<SetOperatorRoleResponse> {
        Err(Status::permission_denied("not this one"))
    }

    async fn disable_operator(
        &self,
        _: Request<DisableOperatorRequest>,
    ) -> Answer<DisableOperatorResponse> {
        Ok(Response::new(DisableOperatorResponse::default()))
    }

    async fn set_operator_phone(
        &self,
        _: Request<SetOperatorPhoneRequest>,
    ) -> Answer<SetOperatorPhoneResponse> {
        Err(Status::permission_denied("not this one"))
    }

    async fn invite_operator(
        &self,
        _: Request<InviteOperatorRequest>,
    ) -> Answer<InviteOperatorResponse> {
        Err(Status::permission_denied("not this one"))
    }

    async fn sign_out_operator(
        &self,
        _: Request<SignOutOperatorRequest>,
    ) -> Answer<SignOutOperatorResponse> {
        Err(Status::permission_denied("not this one"))
    }
}

/// A node's home whose admin socket is served as long as this lives.
struct Node {
    home: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

impl Node {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("run")).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = {
            let _inside = runtime.enter();
            UnixListener::bind(home.path().join("run/admin.sock")).unwrap()
        };
        let fake = Fake::default();
        let services = Server::builder()
            .add_service(NodeServiceServer::new(fake.clone()))
            .add_service(DirectoryServiceServer::new(fake));
        runtime.spawn(services.serve_with_incoming(UnixListenerStream::new(listener)));
        Self { home, _runtime: runtime }
    }

    fn path(&self, name: &str) -> String {
        self.home.path().join(name).display().to_string()
    }

    fn run(&self, words: &[&str]) -> Output {
        raccordo(self.home.path(), words)
    }
}

fn raccordo(home: &Path, words: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_raccordo"));
    program.env_clear().env("RACCORDO_HOME", home).args(words).output().unwrap()
}

fn check(output: &Output, exit: i32, stdout: &str, stderr: &str) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let found = (output.status.code(), text(&output.stdout), text(&output.stderr));
    assert_eq!(found, (Some(exit), stdout.to_owned(), stderr.to_owned()));
}

#[test]
fn wait_ready_asks_until_it_is() {
    check(&Node::start().run(&["wait-ready"]), 0, "toscana is ready\n", "");
    let output = Node::start().run(&["wait-ready", "--timeout", "50ms", "--json"]);
    assert_eq!(output.status.code(), Some(5));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["error"]["code"], "not_ready");
}

#[test]
fn doctor_exits_by_the_worst_finding() {
    let shown = "✓ relay does not answer\n✗ relay does not answer\n  relay, administrator: open port 7443\n";
    check(&Node::start().run(&["doctor"]), 6, shown, "");
}

#[test]
fn a_token_is_in_its_file_and_nowhere_else() {
    let node = Node::start();
    let file = node.path("token");
    let add = |organisation: &str, file: &str| {
        node.run(&[
            "operator",
            "add",
            "anna",
            "--organisation",
            organisation,
            "--role",
            "auditor",
            "--token-out",
            file,
        ])
    };
    let remark = format!("raccordo: the token is in {file} and nowhere else\n");
    check(&add("PUA", &file), 0, "1  anna  auditor, PUA, enabled\n", &remark);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "secret\n");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(add("PUA", &file).status.code(), Some(2));
    let other = node.path("other");
    check(&add("none", &other), 4, "", "raccordo: there is no such organisation\n");
    assert!(!Path::new(&other).exists());
    assert_eq!(add("PUA", "-").status.code(), Some(2));
}

#[test]
fn the_node_s_codes_become_exit_codes() {
    let node = Node::start();
    let exit = |words: &[&str]| node.run(words).status.code();
    assert_eq!(exit(&["organisation", "add", "PUA", "--class", "union"]), Some(6));
    assert_eq!(exit(&["organisation", "add", "PUA", "--class", "club"]), Some(2));
    assert_eq!(exit(&["operator", "role", "anna", "--role", "auditor"]), Some(3));
    assert_eq!(exit(&["operator", "disable", "anna"]), Some(1));
    assert_eq!(exit(&["audit", "verify"]), Some(1));
}

#[test]
fn empty_lists_are_told() {
    let remark = "raccordo: no operators yet; add one: raccordo operator add\n";
    check(&Node::start().run(&["operator", "list"]), 0, "", remark);
    check(&Node::start().run(&["operator", "list", "--json"]), 0, "", "");
}

#[test]
fn a_node_that_does_not_run_is_told_with_the_next_step() {
    let home = tempfile::tempdir().unwrap();
    let shown = home.path().display();
    let stderr = format!(
        "raccordo: no node answers at {shown}/run/admin.sock\nraccordo: hint: is raccordod running? start it with: raccordod --home {shown}\n"
    );
    check(&raccordo(home.path(), &["status"]), 5, "", &stderr);
}

#[test]
fn a_signature_needs_somebody_who_confirms_it() {
    let output = Node::start().run(&["pact", "sign", "tu"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--yes"));
}
