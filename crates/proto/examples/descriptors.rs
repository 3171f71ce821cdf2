//! Writes the descriptors of all protos to the standard output, without comments and positions: `make released`.

use std::io::{self, Write};

use prost::Message;

fn main() -> io::Result<()> {
    let mut set = prost_types::FileDescriptorSet::decode(duijie_proto::DESCRIPTORS).map_err(io::Error::other)?;
    set.file.iter_mut().for_each(|file| file.source_code_info = None);
    io::stdout().write_all(&set.encode_to_vec())
}
