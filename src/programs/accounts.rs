//! Accounts of the private engines, by useradd(8), usermod(8) and userdel(8): they know how this host keeps its users, and lock the files.

use std::path::Path;
use std::process::Command;

use super::{ProgramError, find, output};
use crate::fleet::Account;
use crate::fleet::ids::comment;

/// Makes the account with its group and subordinate ids, or completes it. `home` is where its images are; nobody can log in.
///
/// # Errors
/// A program is missing or refuses.
pub fn add_account(account: Account, home: &Path, exists: bool) -> Result<(), ProgramError> {
    let (name, id) = (account.name(), account.range.runner().to_string());
    if !exists {
        output(command("groupadd", &["--force", "--gid", &id, &name]))?;
        let home = home.display().to_string();
        let comment = comment(account.number);
        output(command(
            "useradd",
            &[
                "--uid",
                &id,
                "--gid",
                &id,
                "--comment",
                &comment,
                "--home-dir",
                &home,
                "--no-create-home",
                "--shell",
                "/usr/sbin/nologin",
                "--key",
                "UID_MAX=4294967294",
                "--key",
                "SUB_UID_COUNT=0",
                "--key",
                "SUB_GID_COUNT=0",
                &name,
            ],
        ))?;
    }
    let mut arguments = Vec::new();
    for (first, count) in account.range.subordinate() {
        let range = format!("{first}-{}", first + count - 1);
        for option in ["--del-subuids", "--del-subgids", "--add-subuids", "--add-subgids"] {
            arguments.extend([option.to_owned(), range.clone()]);
        }
    }
    arguments.push(name);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    output(command("usermod", &arguments)).map(drop)
}

/// Makes a system account of that name that owns nothing and that nobody can log in to, unless there is one.
///
/// # Errors
/// A program is missing or refuses.
pub fn add_system_account(name: &str, comment: &str) -> Result<(), ProgramError> {
    if output(command("getent", &["passwd", name])).is_ok() {
        return Ok(());
    }
    let nowhere = ["--home-dir", "/", "--no-create-home", "--shell", "/usr/sbin/nologin"];
    let account = ["--system", "--user-group", "--comment", comment];
    output(command("useradd", &[&account[..], &nowhere, &[name]].concat())).map(drop)
}

/// Removes the account, its group and its subordinate ids; its files are left alone.
///
/// # Errors
/// A program is missing or refuses.
pub fn remove_account(name: &str) -> Result<(), ProgramError> {
    output(command("userdel", &[name])).map(drop)
}

/// They are in directories that a user's `$PATH` may lack.
fn command(name: &str, arguments: &[&str]) -> Command {
    let places = ["/usr/sbin", "/sbin"].map(|directory| Path::new(directory).join(name));
    let program = places
        .into_iter()
        .find(|program| program.is_file())
        .or_else(|| find(name, std::env::var_os("PATH").as_deref()))
        .unwrap_or_else(|| name.into());
    let mut command = Command::new(program);
    command.args(arguments);
    command
}
