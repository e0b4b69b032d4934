//! The mail server that a URL names, and connections to it.

use lettre::transport::smtp::{
    Error,
    authentication::{Credentials, DEFAULT_MECHANISMS},
    client::{AsyncSmtpConnection, Tls, TlsParameters},
    extension::ClientId,
};
use percent_encoding::percent_decode_str;
use url::Url;

/// Where it is, and who we are there.
pub(super) struct MailServer {
    host: String,
    port: u16,
    tls: Tls,
    hello: ClientId,
    credentials: Option<Credentials>,
}

impl MailServer {
    /// The one of `smtp://host`, `smtp://host?tls=required`, `smtp://host?tls=opportunistic` or `smtps://host`, with
    /// user, password and port where they are needed, and as the path the name that this broker says it has. None if
    /// the URL is none of these.
    pub fn of(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let host = url.host_str()?.to_owned();
        let tls = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value);
        let secured = || TlsParameters::new(host.clone()).ok();
        let (port, tls) = match (url.scheme(), tls.as_deref()) {
            ("smtp", None) => (25, Tls::None),
            ("smtp", Some("required")) => (587, Tls::Required(secured()?)),
            ("smtp", Some("opportunistic")) => (587, Tls::Opportunistic(secured()?)),
            ("smtps", _) => (465, Tls::Wrapper(secured()?)),
            _ => return None,
        };
        let hello = match url.path().trim_matches('/') {
            "" => ClientId::default(),
            name => ClientId::Domain(name.to_owned()),
        };
        let credentials = match url.password() {
            Some(password) => Some(Credentials::new(decoded(url.username())?, decoded(password)?)),
            None => None,
        };
        Some(Self { port: url.port().unwrap_or(port), host, tls, hello, credentials })
    }

    /// A connection on which mails can be handed over.
    pub async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let wrapper = match &self.tls {
            Tls::Wrapper(parameters) => Some(parameters.clone()),
            Tls::None | Tls::Opportunistic(_) | Tls::Required(_) => None,
        };
        let (at, hello) = ((self.host.as_str(), self.port), &self.hello);
        let dialled = AsyncSmtpConnection::connect_tokio1(
            at,
            Some(super::STEP_TIMEOUT),
            hello,
            wrapper,
            None,
        );
        let mut connection = dialled.await?;
        match &self.tls {
            Tls::Opportunistic(parameters) if connection.can_starttls() => {
                connection.starttls(parameters.clone(), hello).await?;
            }
            // Fails where the server can't.
            Tls::Required(parameters) => connection.starttls(parameters.clone(), hello).await?,
            Tls::None | Tls::Opportunistic(_) | Tls::Wrapper(_) => {}
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> Option<(String, u16, &'static str)> {
        let server = MailServer::of(url)?;
        let tls = match server.tls {
            Tls::None => "none",
            Tls::Opportunistic(_) => "opportunistic",
            Tls::Required(_) => "required",
            Tls::Wrapper(_) => "wrapper",
        };
        Some((server.host, server.port, tls))
    }

    #[test]
    fn a_url_says_where_the_server_is_and_how_securely_it_is_spoken_to() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        for (url, port, tls) in [
            ("smtp://mail.example.org", 25, "none"),
            ("smtp://mail.example.org:2525", 2525, "none"),
            ("smtp://anna:secret@mail.example.org?tls=required", 587, "required"),
            ("smtp://mail.example.org:26/us.example.org?tls=opportunistic", 26, "opportunistic"),
            ("smtps://anna:secret@mail.example.org", 465, "wrapper"),
            ("smtps://mail.example.org:466", 466, "wrapper"),
        ] {
            assert_eq!(place(url), Some(("mail.example.org".into(), port, tls)), "{url}");
        }
        for url in
            ["mail.example.org", "http://a.example", "smtp://a.example?tls=maybe", "smtp:", ""]
        {
            assert_eq!(place(url), None, "{url}");
        }
    }

    #[test]
    fn a_user_and_a_password_may_have_any_letters() {
        let server = MailServer::of("smtp://anna%40us:p%2Fw%C3%B6@a.example/our.name").unwrap();
        let credentials = Credentials::new("anna@us".into(), "p/wö".into());
        assert_eq!(server.credentials, Some(credentials));
        assert_eq!(server.hello, ClientId::Domain("our.name".into()));
    }
}
