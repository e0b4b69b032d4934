//! Which way leads to a server.

use url::{Host, Url};

use crate::{bypass, proxy::Proxy};

/// Why there is no way to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// The address names no host, or has no port that is known.
    #[error("the address names no server that can be dialled")]
    Address,
    /// The variable's value isn't the address of a proxy that can be used.
    #[error(
        "The environment variable {0} names a proxy that can't be used. It has to look like http://proxy.example:3128; in a name or password, write special characters with a percent sign (%40 for @)"
    )]
    Proxy(&'static str),
}

/// The way to one server.
#[derive(Clone)]
pub struct Route {
    pub(crate) host: Host,
    pub(crate) port: u16,
    pub(crate) proxy: Option<Proxy>,
}

impl Route {
    /// The way to `target` that this process's environment asks for.
    ///
    /// # Errors
    /// [`RouteError`].
    pub fn from_env(target: &Url) -> Result<Self, RouteError> {
        Self::new(target, |name| std::env::var(name).ok())
    }

    /// The way to `target` in this environment, which is read as curl reads it: a variable of the
    /// scheme before `all_proxy`, small letters before capitals, and an empty one counts as none.
    ///
    /// # Errors
    /// [`RouteError`].
    pub fn new(
        target: &Url,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, RouteError> {
        let direct = Self::direct(target)?;
        let set = |name: &&str| environment(name).filter(|value| !value.trim().is_empty());
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| set(name).map(|value| (*name, value)))
        };
        let names: &[_] = match target.scheme() {
            "https" | "wss" => &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
            // In a CGI program a header of a request becomes HTTP_PROXY: a stranger chose it.
            _ if environment("REQUEST_METHOD").is_some() => {
                &["http_proxy", "all_proxy", "ALL_PROXY"]
            }
            _ => &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"],
        };
        let Some((variable, value)) = first(names) else { return Ok(direct) };
        let exempt = first(&["no_proxy", "NO_PROXY"]);
        if exempt.is_some_and(|(_, list)| bypass::lists(&list, &direct.host, direct.port)) {
            return Ok(direct);
        }
        let proxy = Proxy::parse(&value, variable).ok_or(RouteError::Proxy(variable))?;
        Ok(Self { proxy: Some(proxy), ..direct })
    }

    /// The way to `target` without a proxy, whatever the environment says.
    ///
    /// # Errors
    /// [`RouteError::Address`].
    pub fn direct(target: &Url) -> Result<Self, RouteError> {
        let host = target.host().ok_or(RouteError::Address)?.to_owned();
        let known = match target.scheme() {
            "ws" => Some(80),
            "wss" => Some(443),
            _ => target.port_or_known_default(),
        };
        let port = target.port().or(known).ok_or(RouteError::Address)?;
        Ok(Self { host, port, proxy: None })
    }

    /// The proxy's host and port, without its name and password, if the way leads through one.
    pub fn proxy(&self) -> Option<&str> {
        self.proxy.as_ref().map(|proxy| proxy.called.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(target: &str, environment: &[(&str, &str)]) -> Option<String> {
        let route = route(target, environment).unwrap();
        route.proxy().map(str::to_owned)
    }

    fn route(target: &str, environment: &[(&str, &str)]) -> Result<Route, RouteError> {
        Route::new(&target.parse().unwrap(), |name| {
            let found = environment.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn takes_the_schemes_variable_before_the_one_for_all() {
        let all = ("ALL_PROXY", "http://all:1");
        let (web, secure) = (("http_proxy", "http://web:2"), ("https_proxy", "http://secure:3"));
        let both = [all, web, secure];
        assert_eq!(through("https://a.example", &both).as_deref(), Some("secure:3"));
        assert_eq!(through("wss://a.example/live", &both).as_deref(), Some("secure:3"));
        assert_eq!(through("http://a.example", &both).as_deref(), Some("web:2"));
        assert_eq!(through("ws://a.example/live", &both).as_deref(), Some("web:2"));
        assert_eq!(through("https://a.example", &[all]).as_deref(), Some("all:1"));
        assert_eq!(through("https://a.example", &[web]), None);
        assert_eq!(through("http://a.example", &[secure]), None);
    }

    #[test]
    fn takes_small_letters_before_capitals_and_nothing_for_none() {
        let (small, capital) = (("https_proxy", "http://small:1"), ("HTTPS_PROXY", "http://big:1"));
        assert_eq!(through("https://a", &[capital, small]).as_deref(), Some("small:1"));
        assert_eq!(through("https://a", &[capital]).as_deref(), Some("big:1"));
        assert_eq!(through("https://a", &[("https_proxy", ""), capital]).as_deref(), Some("big:1"));
        assert_eq!(through("https://a", &[("https_proxy", " ")]), None);
        assert_eq!(through("http://a", &[("HTTP_PROXY", "b:1")]).as_deref(), Some("b:1"));
        let cgi = [("HTTP_PROXY", "http://evil:1"), ("REQUEST_METHOD", "GET")];
        assert_eq!(through("http://a", &cgi), None);
    }

    #[test]
    fn goes_past_the_proxy_where_no_proxy_says_so() {
        let proxy = ("all_proxy", "http://p:1");
        assert_eq!(through("https://a.example", &[proxy, ("NO_PROXY", "b, a.example")]), None);
        assert_eq!(through("https://a.example", &[proxy, ("no_proxy", "*")]), None);
        let other = [proxy, ("no_proxy", "b.example")];
        assert!(through("https://a.example", &other).is_some());
    }

    #[test]
    fn names_the_variable_that_cannot_be_used_and_not_its_value() {
        for wrong in
            ["http://me:geheim#1@p:1", "ftp://p:1", "http://", "http://p:70000", "socks4://p"]
        {
            let refused = route("https://a", &[("https_proxy", wrong)]).err();
            assert_eq!(refused, Some(RouteError::Proxy("https_proxy")), "{wrong}");
            assert!(!refused.unwrap().to_string().contains("geheim"));
        }
        assert_eq!(route("data:a", &[]).err(), Some(RouteError::Address));
        assert_eq!(route("socks://a", &[]).err(), Some(RouteError::Address));
    }
}
