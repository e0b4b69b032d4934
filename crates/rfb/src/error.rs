/// The viewer broke the protocol, so the connection is over. No text of the viewer's is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// The viewer's ProtocolVersion is none that this server knows.
    #[error("the viewer speaks no known version of RFB")]
    Version,
    /// The viewer chose a security type that was not offered.
    #[error("the viewer chose a security type that was not offered")]
    Security,
    /// A message of a type that is not known. RFB has no length field, so where it ends is unknown, too.
    #[error("the viewer sent a message of unknown type {0}")]
    Message(u8),
    /// A pixel format that can't be drawn, such as one with a colour map.
    #[error("the viewer asked for a pixel format that can't be drawn")]
    PixelFormat,
    /// A length beyond what the protocol or [`Limits`](crate::Limits) allow.
    #[error("the viewer sent a message that is too long")]
    TooLong,
}
