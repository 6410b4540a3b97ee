//! Compiles the protos without `protoc`: messages, their canonical JSON, services behind
//! the feature `grpc`, and the descriptor set that reflection serves.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

const FILES: [&str; 9] = [
    "alert/v1/alert.proto",
    "trust/v1/trust.proto",
    "trust/v1/group.proto",
    "trust/v1/pact.proto",
    "hub/v1/hub.proto",
    "casework/v1/casework.proto",
    "casework/v1/register.proto",
    "casework/v1/match.proto",
    "admin/v1/admin.proto",
];

/// Messages with values that identify people: their `Debug` is written by hand.
const IDENTIFYING: [&str; 5] = [
    ".raccordo.casework.v1.PersonName",
    ".raccordo.casework.v1.IdentityDocument",
    ".raccordo.casework.v1.Address",
    ".raccordo.casework.v1.Person",
    ".raccordo.casework.v1.Company",
];
/// What has a JSON form besides these: alerts, and what a case's file holds.
const JSON: [&str; 4] = [
    ".raccordo.alert.v1",
    ".raccordo.casework.v1.Case",
    ".raccordo.casework.v1.AddCaseRequest",
    ".raccordo.casework.v1.AddCompanyRequest",
];

fn main() -> Result<(), Box<dyn Error>> {
    let descriptors = protox::compile(FILES, ["."])?;
    let bytes = descriptors.encode_to_vec();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), &bytes)?;
    let services = env::var_os("CARGO_FEATURE_GRPC").is_some();
    tonic_prost_build::configure()
        .compile_well_known_types(true)
        .build_client(services)
        .build_server(services)
        .skip_debug(IDENTIFYING)
        .extern_path(".google.protobuf", "::pbjson_types")
        .compile_fds(descriptors)?;
    pbjson_build::Builder::new()
        .register_descriptors(&bytes)?
        .build(&[&JSON[..], &IDENTIFYING].concat())?;
    for file in FILES {
        println!("cargo:rerun-if-changed={file}");
    }
    Ok(())
}
