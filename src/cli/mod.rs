//! The command line. All output is Chinese; a failure is one sentence with the remedy. The exit codes are in `exit`.

/// `print!` by way of [`out`]: that of the standard library panics when the pipe is closed.
macro_rules! print {
    ($($text:tt)*) => { $crate::cli::out::for_people(format_args!($($text)*)) };
}

/// `println!`, likewise.
macro_rules! println {
    ($($text:tt)*) => { $crate::cli::out::for_people(format_args!("{}\n", format_args!($($text)*))) };
}

/// `eprintln!`, likewise.
macro_rules! eprintln {
    ($($text:tt)*) => { $crate::cli::out::to_stderr(format_args!("{}\n", format_args!($($text)*))) };
}

mod args;
mod calibrate;
mod client;
mod copy;
mod demo;
mod duplicates;
mod end_point;
mod evaluate;
mod event;
mod evidence;
mod exit;
mod file_parts;
mod filter;
mod grade;
mod health;
mod import;
mod key;
mod matching;
mod mean_vector;
mod out;
mod progress;
mod records;
mod reindex;
mod rematch;
mod repair;
mod serve;
mod snapshot;
mod table;
mod usage;
mod verify;
mod watch;

use std::{fs, io, path::Path, process::ExitCode};

use crate::{config::Config, telemetry};
use args::{Args, Command};
use exit::Done;

/// Configuration file that is read without `--config`, if it exists.
const DEFAULT_CONFIG: &str = "duijie.toml";

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let args = match usage::arguments() {
        Ok(args) => args,
        Err(code) => return code,
    };
    out::set_json(args.json);
    let toml = match config_text(args.config.as_deref()) {
        Ok(toml) => toml,
        Err(sentence) => return fail(&sentence, exit::USAGE),
    };
    if matches!(args.command, Command::Config) {
        return match Config::effective(&toml, std::env::vars()) {
            Ok(values) => {
                print!("{}", table::config(&values));
                ExitCode::SUCCESS
            }
            Err(mistakes) => fail(&mistakes.to_string(), exit::USAGE),
        };
    }
    let mut config = match Config::read(&toml, std::env::vars()) {
        Ok(config) => config,
        Err(mistakes) => return fail(&mistakes.to_string(), exit::USAGE),
    };
    for warning in &config.warnings {
        eprintln!("提示：{warning}");
    }
    if !matches!(args.command, Command::Serve) {
        // service logs must not mix with the output for users
        config.log.filter = format!("error,{}", config.log.filter.replace("info", "error"));
    }
    if let Err(sentence) = telemetry::start(&config.log) {
        return fail(&sentence, exit::USAGE);
    }
    match run(args, config) {
        Ok(done) => done.into(),
        Err(error) => fail(&format!("{error:#}"), exit::FAILED),
    }
}

#[tokio::main]
async fn run(args: Args, config: Config) -> anyhow::Result<Done> {
    let server = client::Server::new(args.server, &config);
    let nodes = config.qdrant.as_ref().map(|qdrant| qdrant.urls.clone()).unwrap_or_default();
    match args.command {
        Command::Serve => serve::run(config).await,
        Command::Import(import) => import::run(&server, import).await,
        Command::Match(it) => matching::run_match(&server, it).await,
        Command::Similar(it) => matching::run_similar(&server, it).await,
        Command::Get(it) => records::get(&server, &it.name).await,
        Command::List(it) => records::list(&server, it).await,
        Command::Count(it) => records::count(&server, it).await,
        Command::Delete(it) => records::delete(&server, &it.name).await,
        Command::Health => health::run(&server, &nodes).await,
        Command::Duplicates(it) => duplicates::run(&server, it).await,
        Command::Rematch(it) => rematch::run(&server, it).await,
        Command::Watch(it) => watch::run(&server, it).await,
        Command::Event(it) => event::run(&server, it).await,
        Command::Key(it) => key::run(&server, &config, it).await,
        Command::Reindex => reindex::run(config).await,
        Command::Snapshot(it) => snapshot::run(&server, config, it.action).await,
        Command::Copy(it) => copy::run(config, it).await,
        Command::Repair(it) => repair::run(config, it).await,
        Command::Verify(it) => verify::run(config, it).await,
        Command::Eval(it) => evaluate::run(config, it).await,
        Command::Calibrate(it) => calibrate::run(it),
        Command::MeanVector(it) => mean_vector::run(config, it).await,
        Command::Demo(it) => demo::run(config, it).await,
        Command::Config => Ok(Done::All),
    }
}

/// Text of the configuration file; empty if none is given and the default does not exist.
fn config_text(path: Option<&Path>) -> Result<String, String> {
    let read = fs::read_to_string(path.unwrap_or(Path::new(DEFAULT_CONFIG)));
    match (read, path) {
        (Ok(text), _) => Ok(text),
        (Err(error), None) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        (Err(error), path) => {
            let path = path.unwrap_or(Path::new(DEFAULT_CONFIG)).display();
            Err(format!("无法读取配置文件 {path}，请检查路径和权限：{error}"))
        }
    }
}

fn fail(sentence: &str, code: u8) -> ExitCode {
    eprintln!("错误：{sentence}");
    ExitCode::from(code)
}
