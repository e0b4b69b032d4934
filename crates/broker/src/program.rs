//! What `session_exe` delivers until there is a presenter: a shell script that opens the join page.
//!
//! It says of itself what it is, and shares no screen.

use wire::Pin;

/// The script for one session.
pub(crate) fn script(origin: &str, pin: &Pin, quiet: bool, self_delete: bool) -> String {
    let link = quoted(&format!("{origin}/join#{}", pin.expose()));
    let say = if quiet { ":" } else { "echo" };
    let delete = if self_delete { "rm -f -- \"$0\"\n" } else { "" };
    format!(
        "#!/bin/sh\n\
         # Deskhand: a stand-in for the customer's program.\n\
         # It is a shell script, not a remote-control program: it shares no screen and installs\n\
         # nothing. It opens the page where the customer joins the session.\n\
         link={link}\n\
         {say} 'Opening the support session in your browser. No screen is shared yet.'\n\
         if command -v xdg-open >/dev/null 2>&1; then xdg-open \"$link\"\n\
         elif command -v open >/dev/null 2>&1; then open \"$link\"\n\
         else echo \"Open this address in a browser: $link\"; fi\n\
         {delete}"
    )
}

/// A word that the shell takes as it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_says_what_it_is_and_opens_the_join_page() {
        let pin: Pin = "7W2-97-8570".parse().unwrap();
        let text = script("http://127.0.0.1:4000", &pin, false, true);
        assert!(text.contains("link='http://127.0.0.1:4000/join#7W2-97-8570'"));
        assert!(text.contains("stand-in") && text.ends_with("rm -f -- \"$0\"\n"));
        assert!(!script("http://a", &pin, true, false).contains("rm -f"));
    }

    #[test]
    fn no_origin_breaks_out_of_its_quotes() {
        assert_eq!(quoted("a'b$(x)"), r"'a'\''b$(x)'");
    }
}
