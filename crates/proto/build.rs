//! Compiles `proto/` into `OUT_DIR`: messages, services and the descriptor set for reflection. Uses protox instead of
//! protoc, so that only cargo is needed.

use std::{env, error::Error, fs, path::PathBuf};

/// At the top of the workspace, where client developers look for it.
const PROTO: &str = "../../proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={PROTO}");
    let protos = [
        "duijie/v1/record.proto",
        "duijie/v1/filter.proto",
        "duijie/v1/file.proto",
        "duijie/v1/catalog_service.proto",
        "duijie/v1/maintenance.proto",
        "duijie/v1/evidence.proto",
        "duijie/v1/match_service.proto",
        "duijie/v1/rematch_service.proto",
        "duijie/v1/watch_service.proto",
        "duijie/v1/event.proto",
        "duijie/v1/event_service.proto",
    ];
    let descriptors = protox::compile(protos, [PROTO])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("duijie_descriptor.bin"), prost::Message::encode_to_vec(&descriptors))?;
    let mut config = tonic_prost_build::Config::new();
    // the JSON of a message is made from its name in the descriptors
    config.enable_type_names();
    tonic_prost_build::configure().compile_fds_with_config(descriptors, config)?;
    Ok(())
}
