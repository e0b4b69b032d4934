//! LoginTC's requests and answers (services.md).
