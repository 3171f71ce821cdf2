//! The `duijie` command: see `duijie --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    duijie::cli::main()
}
