//! Parses the arguments, with helps and errors in Chinese: `clap` has only English ones.

use std::{error::Error as _, process::ExitCode};

use clap::{
    Arg, ArgAction, Command, CommandFactory, FromArgMatches,
    error::{ContextKind, Error, ErrorKind},
};

use super::{Args, exit, fail};

/// The arguments of this process; or the exit code if they are wrong, or help was requested.
pub fn arguments() -> Result<Args, ExitCode> {
    read(std::env::args_os()).map_err(|error| {
        if error.use_stderr() {
            return fail(&sentence(&error), exit::USAGE);
        }
        // a reader who closes the pipe has read enough
        let _ = error.print();
        ExitCode::SUCCESS
    })
}

fn read(typed: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>) -> Result<Args, Error> {
    Args::from_arg_matches(&command().try_get_matches_from(typed)?)
}

/// The command with Chinese helps.
fn command() -> Command {
    let mut command = in_chinese(Args::command());
    command.build();
    usage_in_chinese(&mut command);
    command
}

fn in_chinese(command: Command) -> Command {
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help).help("显示帮助");
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version).help("显示版本");
    let version = command.get_version().map(|_| version);
    command
        .help_template("{about-with-newline}\n用法：{usage}\n\n{all-args}")
        .subcommand_help_heading("命令")
        .subcommand_value_name("命令")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(help)
        .args(version)
        .mut_args(argument_in_chinese)
        .mut_subcommands(in_chinese)
}

fn argument_in_chinese(argument: Arg) -> Arg {
    let heading = if argument.is_positional() { "参数" } else { "选项" };
    let mut help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let defaults: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if argument.get_action().takes_values() && !defaults.is_empty() && !argument.is_hide_default_value_set() {
        help = format!("{help}（缺省 {}）", defaults.join("、"));
    }
    argument.help(help).help_heading(heading).hide_default_value(true).hide_possible_values(true)
}

fn usage_in_chinese(command: &mut Command) {
    let usage = usage(&command.render_usage());
    *command = std::mem::take(command).override_usage(usage);
    command.get_subcommands_mut().for_each(usage_in_chinese);
}

fn usage(text: &impl ToString) -> String {
    text.to_string().trim().trim_start_matches("Usage:").trim().replace("[OPTIONS]", "[选项]")
}

/// The mistake and its remedy.
fn sentence(error: &Error) -> String {
    let of = |kind: ContextKind| error.get(kind).map(ToString::to_string).filter(|text| !text.is_empty());
    let named = |kind: ContextKind| of(kind).unwrap_or_default();
    let argument = || named(ContextKind::InvalidArg);
    let perhaps = |kind: ContextKind| of(kind).map(|near| format!("，是否指 {near}")).unwrap_or_default();
    let mistake = match error.kind() {
        ErrorKind::UnknownArgument => format!("不认识参数 {}{}", argument(), perhaps(ContextKind::SuggestedArg)),
        ErrorKind::InvalidSubcommand => {
            let near = perhaps(ContextKind::SuggestedSubcommand);
            format!("没有命令 {}{near}", named(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "缺少命令".to_string(),
        ErrorKind::MissingRequiredArgument => format!("缺少参数 {}", argument()),
        ErrorKind::ArgumentConflict => match named(ContextKind::PriorArg) {
            prior if prior == argument() => format!("参数 {prior} 只能写一次"),
            prior => format!("参数 {} 与 {prior} 不能同时使用", argument()),
        },
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => match of(ContextKind::InvalidValue) {
            Some(value) => format!("参数 {} 的值“{value}”不对{}", argument(), reason(error)),
            None => format!("参数 {} 缺少值", argument()),
        },
        ErrorKind::NoEquals | ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("参数 {} 的值的个数不对", argument())
        }
        ErrorKind::InvalidUtf8 => "参数不是 UTF-8 文字".to_string(),
        _ => "命令写法有误".to_string(),
    };
    match error.get(ContextKind::Usage) {
        Some(shown) => format!("{mistake}；用法：{}", usage(shown)),
        None => format!("{mistake}；请执行 duijie --help 查看用法"),
    }
}

/// Reason why a value is invalid, if known.
fn reason(error: &Error) -> String {
    if let Some(valid) = error.get(ContextKind::ValidValue) {
        return format!("，可写 {valid}");
    }
    let why = error.source().map(ToString::to_string).unwrap_or_default();
    if let Some((min, max)) = why.rsplit_once(" is not in ").and_then(|(_, range)| range.split_once("..=")) {
        return format!("，须为 {min} 到 {max}");
    }
    // the parsers of the standard library give English reasons
    if why.is_ascii() { String::new() } else { format!("，{why}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(typed: &[&str]) -> String {
        sentence(&read([&["duijie"], typed].concat()).expect_err("a mistake"))
    }

    #[test]
    fn mistakes_are_told_in_chinese() {
        let check = |typed: &[&str], want: &str| assert_eq!(said(typed), want);
        check(&["import", "a", "b"], "不认识参数 b；用法：duijie import [选项] <文件>");
        check(&["import"], "缺少参数 <文件>；用法：duijie import [选项] <文件>");
        check(&["imprt"], "没有命令 imprt，是否指 import；用法：duijie [选项] <命令>");
        check(&["event"], "缺少命令；请执行 duijie --help 查看用法");
        check(&["serve", "--sever", "x"], "不认识参数 --sever，是否指 --server；用法：duijie serve [选项]");
        check(&["serve", "--server"], "参数 --server <地址> 缺少值；请执行 duijie --help 查看用法");
    }

    #[test]
    fn values_say_what_they_may_be() {
        let check = |value: &str, want: &str| {
            let said = said(&["similar", "demands/d-1", "--limit", value]);
            assert!(said.starts_with(&format!("参数 --limit <条数> 的值“{value}”不对{want}；")), "{said}");
        };
        check("201", "，须为 1 到 200");
        check("x", "");
    }

    #[test]
    fn what_excludes_each_other_is_named() {
        let said = said(&["match", "demands/d-1", "--text", "焊接", "--to", "experts"]);
        assert!(said.starts_with("参数 [记录名] 与 --text <文字> 不能同时使用"), "{said}");
    }

    #[test]
    fn helps_are_chinese() {
        fn check(command: &mut Command) {
            let help = command.render_long_help().to_string();
            for word in
                ["Usage", "Options", "OPTIONS", "Arguments", "Commands", "COMMAND", "Print", "default", "possible"]
            {
                assert!(!help.contains(word), "{word} in {help}");
            }
            assert!(help.contains("显示帮助"), "{help}");
            command.get_subcommands_mut().for_each(check);
        }
        check(&mut command());
    }
}
