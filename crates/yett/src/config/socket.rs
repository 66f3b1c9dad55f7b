//! Who may connect to a Unix socket: its mode and its owner, as they are written.

use super::error::{Wrong, quoted};
use yett_edge::listen::Permissions;

/// Who may write to a file of this mode.
const WRITE: u16 = 0o222;
/// Everybody among them, and the group.
const WRITE_BY_ALL: u16 = 0o002;
const WRITE_BY_GROUP: u16 = 0o020;

/// The numbers of users and groups by their names.
pub(crate) struct Accounts<'a> {
    pub(crate) user: &'a dyn Fn(&str) -> Option<u32>,
    pub(crate) group: &'a dyn Fn(&str) -> Option<u32>,
}

/// Those of this machine.
pub(crate) const OF_THIS_MACHINE: Accounts<'static> = Accounts {
    user: &|name| Some(nix::unistd::User::from_name(name).ok()??.uid.as_raw()),
    group: &|name| Some(nix::unistd::Group::from_name(name).ok()??.gid.as_raw()),
};

/// Reads a mode: three or four octal digits.
pub(super) fn mode(text: &str) -> Result<u16, Wrong> {
    let wrong = |why: &str| {
        let expected = "three octal digits for owner, group and others, such as \"0660\"";
        Wrong::new(format!("{} {why}", quoted(text)), expected)
    };
    let octal = text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    let digits = octal && (3..=4).contains(&text.len());
    let parsed = digits.then(|| u16::from_str_radix(text, 8).ok()).flatten();
    match parsed {
        None => Err(wrong("is not a mode")),
        Some(mode) if mode > 0o777 => Err(wrong("has bits that a socket has no use for")),
        Some(mode) if mode & WRITE == 0 => {
            Err(wrong("lets nobody write, so that nobody could connect"))
        }
        Some(mode) => Ok(mode),
    }
}

/// Whether everybody on the machine may connect.
pub(super) const fn is_for_all(permissions: &Permissions) -> bool {
    permissions.mode & WRITE_BY_ALL != 0
}

/// Whether somebody may connect who was not named: everybody, or whoever is in the process's group.
pub(super) const fn is_for_unnamed(permissions: &Permissions) -> bool {
    let by_group = permissions.mode & WRITE_BY_GROUP != 0 && permissions.group.is_none();
    by_group || is_for_all(permissions)
}

/// Reads an owner: the numbers of user and group, of which one may be missing.
pub(super) fn owner(
    text: &str,
    accounts: &Accounts<'_>,
) -> Result<(Option<u32>, Option<u32>), Wrong> {
    let expected = "a user, user:group or :group, by name or number";
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    if group == Some("") || text.is_empty() {
        return Err(Wrong::new(
            format!("{} names nobody", quoted(text)),
            expected,
        ));
    }
    let number = |kind: &str, name: &str, known: &dyn Fn(&str) -> Option<u32>| {
        let digits = name.bytes().all(|byte| byte.is_ascii_digit());
        // The kernel takes the largest number for none.
        let number = digits.then(|| name.parse().ok().filter(|number| *number != u32::MAX));
        number.unwrap_or_else(|| known(name)).ok_or_else(|| {
            Wrong::new(
                format!("there is no {kind} {} on this machine", quoted(name)),
                expected,
            )
        })
    };
    let user = (!user.is_empty()).then(|| number("user", user, accounts.user));
    let group = group.map(|group| number("group", group, accounts.group));
    Ok((user.transpose()?, group.transpose()?))
}
