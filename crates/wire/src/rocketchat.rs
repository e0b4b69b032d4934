//! Rocket.Chat's requests and answers (services.md).
