//! Compiles `proto/` into `OUT_DIR`: messages, services, the descriptor set for reflection, and who may call which method.
//! Uses protox instead of protoc, so that only cargo is needed.

use std::{env, error::Error, fmt::Write, fs, path::PathBuf};

use protox::prost_reflect::{DescriptorPool, Value};

/// At the top of the workspace, where client developers look for it.
const PROTO: &str = "../../proto";
/// Option of a method that names the roles that may call it.
const ROLE: &str = "duijie.v1.role";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={PROTO}");
    let protos = [
        "duijie/v1/access.proto",
        "duijie/v1/access_service.proto",
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
    let mut compiler = protox::Compiler::new([PROTO])?;
    compiler.include_imports(true).open_files(protos)?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("duijie_descriptor.bin"), compiler.encode_file_descriptor_set())?;
    fs::write(out.join("roles.rs"), roles(&compiler.descriptor_pool())?)?;
    let descriptors = compiler.file_descriptor_set();
    let mut config = tonic_prost_build::Config::new();
    // the JSON of a message is made from its name in the descriptors
    config.enable_type_names();
    tonic_prost_build::configure().compile_fds_with_config(descriptors, config)?;
    Ok(())
}

/// The table of all methods and their roles as Rust. A method without a role fails the build.
fn roles(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let option = pool.get_extension_by_name(ROLE).ok_or("there is no option for roles")?;
    let roles = pool.get_enum_by_name("duijie.v1.Role").ok_or("there are no roles")?;
    let mut table = "&[\n".to_string();
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let allowed = method.options().get_extension(&option).into_owned();
        let allowed: Vec<i32> = allowed.as_list().into_iter().flatten().filter_map(Value::as_enum_number).collect();
        if allowed.is_empty() || allowed.iter().any(|role| *role == 0 || roles.get_value(*role).is_none()) {
            return Err(format!("{path} does not say which roles may call it: `option (role) = …`").into());
        }
        writeln!(table, "    ({path:?}, &{allowed:?}),")?;
    }
    table.push(']');
    Ok(table)
}
