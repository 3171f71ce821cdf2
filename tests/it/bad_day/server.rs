//! `duijie serve` in a process of its own.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

/// A separate `duijie serve` process that can be killed.
pub struct Server {
    child: Child,
    pub url: String,
}

impl Server {
    pub fn start(folder: &Path) -> Self {
        Self::start_by(folder, |program| {
            let mut command = Command::new(program);
            command.arg("serve");
            command
        })
    }

    /// A command made from its program, with a store below `folder`.
    pub fn command(folder: &Path, make: impl FnOnce(&str) -> Command) -> Command {
        let mut command = make(env!("CARGO_BIN_EXE_duijie"));
        command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("DUIJIE_STORE_FOLDER", folder.join("store"))
            .env("DUIJIE_SERVER_LISTEN", "127.0.0.1:0")
            .env("DUIJIE_LOG_FILTER", "error");
        command
    }

    /// Starts it by a command made from its program.
    pub fn start_by(folder: &Path, make: impl FnOnce(&str) -> Command) -> Self {
        let mut child = Self::command(folder, make).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split('，').find_map(|part| part.strip_prefix("监听 ")).unwrap_or_else(|| panic!("{line}"));
        Self { child, url: format!("http://{address}") }
    }

    /// Tells the process to end, and waits until it has, at most two minutes.
    pub fn terminate(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        for _ in 0..1_200 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the process does not end");
    }

    /// kill -9 by process id.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
