//! Loads ONNX Runtime from a file, once for the process.

use super::EmbedError;
use ort::environment::Environment;
use std::{
    fs::File,
    io::Read,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use parking_lot::Mutex;

/// Length of the head of a 64-bit ELF file, in bytes.
const ELF_HEAD_BYTES: usize = 64;

/// Proof that ONNX Runtime is loaded; required to open a session. Without it `ort` would search for a library itself at
/// the first call, and panic if there is none.
#[derive(Debug, Clone)]
pub struct Runtime {
    environment: Environment,
}

/// The library loaded in this process, with its path.
static LOADED: Mutex<Option<(PathBuf, Runtime)>> = Mutex::new(None);

// === impl Runtime ===

impl Runtime {
    /// The environment for sessions.
    pub(super) fn environment(&self) -> Environment {
        self.environment.clone()
    }
}

/// Loads the library at `path`. A second call for the same file returns the same runtime; after a failure the call can
/// be repeated.
///
/// # Errors
/// [`EmbedError::Runtime`] when the file is missing, is not a complete shared library for this machine, is not ONNX
/// Runtime, is older than the version that `ort` was built for, or when another file is already loaded: a process can
/// load only one.
pub fn load(path: &Path) -> Result<Runtime, EmbedError> {
    let error = |detail: String| EmbedError::Runtime { path: path.to_path_buf(), detail };
    // `ort` would look for a relative path next to the executable
    let path = path.canonicalize().map_err(|e| error(e.to_string()))?;
    let mut loaded = LOADED.lock();
    if let Some((loaded_path, runtime)) = loaded.as_ref() {
        let same = *loaded_path == path;
        let other = || error(format!("已加载 {}", loaded_path.display()));
        return if same { Ok(runtime.clone()) } else { Err(other()) };
    }
    check_library(&path).map_err(error)?;
    // turns failed asserts in `ort` about the library into an error
    let environment = catch_unwind(AssertUnwindSafe(|| open(&path)))
        .map_err(|_| error("不是可用的 ONNX Runtime".to_string()))?
        .map_err(error)?;
    let runtime = Runtime { environment };
    *loaded = Some((path, runtime.clone()));
    Ok(runtime)
}

fn open(path: &Path) -> Result<Environment, String> {
    let builder = ort::init_from(path).map_err(|e| e.to_string())?;
    // each session has its own core; the tokeniser's thread pool would only compete for them
    tokenizers::utils::parallelism::set_parallelism(false);
    // the texts are confidential: no telemetry
    builder.with_name("duijie").with_telemetry(false).build().map_err(|e| e.to_string())
}

/// Rejects files that the dynamic loader would not report as an error. It maps a file as its ELF header says, so a
/// truncated file (a broken download) kills the process with SIGBUS.
fn check_library(path: &Path) -> Result<(), String> {
    let mut file = File::open(path).map_err(|e| e.to_string())?;
    let file_bytes = file.metadata().map_err(|e| e.to_string())?.len();
    let mut head = [0; ELF_HEAD_BYTES];
    file.read_exact(&mut head).map_err(|_| "不是动态库".to_string())?;
    if cfg!(target_os = "linux") { check_elf(&head, file_bytes).map_err(str::to_string) } else { Ok(()) }
}

/// Checks the magic number of a 64-bit little-endian ELF file, and that the section table, which linkers write last,
/// lies inside the file.
fn check_elf(head: &[u8; ELF_HEAD_BYTES], file_bytes: u64) -> Result<(), &'static str> {
    let [0x7f, b'E', b'L', b'F', 2, 1, ..] = head else { return Err("不是 64 位动态库") };
    let number = |at: usize, len: usize| {
        let bytes = head.iter().skip(at).take(len).rev();
        bytes.fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    // offsets in the ELF64 header: e_shoff 0x28 (8 bytes), e_shentsize 0x3a (2), e_shnum 0x3c (2)
    let end = number(0x28, 8).checked_add(number(0x3a, 2) * number(0x3c, 2));
    if end.is_some_and(|end| end <= file_bytes) { Ok(()) } else { Err("文件不完整") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::library;
    use std::{env, fs, process::Command};

    /// Path of the library for the test below when it runs as a child.
    const CHILD_PATH: &str = "DUIJIE_TEST_RUNTIME_PATH";

    /// Runs only as a child of the next test: a process loads one library, so each case needs its own.
    #[test]
    fn child() {
        let Some(path) = env::var_os(CHILD_PATH) else { return };
        match load(Path::new(&path)) {
            Ok(_) => println!("child: loaded"),
            Err(error) => println!("child: {error}"),
        }
    }

    fn check(path: &Path, want: &str) {
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", "runtime::tests::child", "--nocapture"]).env(CHILD_PATH, path);
        let output = child.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}: {:?} {text}", path.display(), output.status);
        let line = text.lines().find_map(|line| line.split_once("child: ")).expect("a line of the child").1;
        assert!(line.contains(want), "{}: {line}", path.display());
        assert_eq!(line.contains("make runtime"), want != "loaded", "{line}");
    }

    #[test]
    fn a_library_that_cannot_be_used_is_an_error_that_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        let library = fs::read(library()).unwrap();
        check(&folder.path().join("missing.so"), "No such file");
        check(folder.path(), "不是动态库");
        check(&file("empty.so", b""), "不是动态库");
        check(&file("text.so", "这是一个文本文件。\n".repeat(10).as_bytes()), "不是 64 位动态库");
        check(&file("cut.so", &library[..library.len() / 2]), "文件不完整");
        check(&env::current_exe().unwrap(), "failed to load");
        check(&file("whole.so", &library), "loaded");
    }

    #[test]
    fn the_same_file_again_is_the_same_runtime_and_another_is_refused() {
        load(&library()).unwrap();
        load(&library()).unwrap();
        let error = load(&env::current_exe().unwrap()).unwrap_err();
        assert!(error.to_string().contains("已加载"), "{error}");
    }
}
