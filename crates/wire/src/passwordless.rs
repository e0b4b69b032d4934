//! Passwordless.dev's requests and answers (services.md).
