//! The person who is at this computer, where nobody has given a name.

use crate::words;

/// Who the operating system says is at this computer: the full name, else the login.
pub(super) fn operating_system_user() -> String {
    let variable = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
    let login = variable("USER").or_else(|| variable("LOGNAME")).or_else(|| variable("USERNAME"));
    let login = login.unwrap_or_else(|| "Technician".to_owned());
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = full_name(&accounts, &login).unwrap_or(login);
    let name = words::plain(&name, 64);
    // A service may run as a user of the program's name, which no person may have.
    let is_nobody = name.is_empty() || words::is_programs_name(&name);
    if is_nobody { "Technician".to_owned() } else { name }
}

/// The full name of `login` in the text of a passwd file, if it has one.
fn full_name(accounts: &str, login: &str) -> Option<String> {
    let account = accounts.lines().find(|line| line.split(':').next() == Some(login))?;
    // passwd(5): the fifth field is GECOS, and what precedes its first comma the full name.
    let name = account.split(':').nth(4)?.split(',').next()?.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_full_name_of_a_login() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\nanna:x:1000:1000:Anna Keller,,,:/home/anna:/bin/sh\nbo:x:1:1::/:/bin/sh";
        assert_eq!(full_name(accounts, "anna").unwrap(), "Anna Keller");
        assert_eq!(full_name(accounts, "bo"), None);
        assert_eq!(full_name(accounts, "eve"), None);
    }
}
