//! The handshake (RFC 6143, 7.1 to 7.3): ProtocolVersion, security, ClientInit and ServerInit.

use super::Server;
use crate::{ProtocolError, Rect, client_framebuffer::ClientFramebuffer};

/// How far the connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The viewer's ProtocolVersion is awaited.
    ProtocolVersion,
    /// The viewer's choice of a security type is awaited.
    Security { with_result: bool },
    /// The viewer's ClientInit is awaited.
    ClientInit,
    /// The handshake is over, and messages may come and go.
    Normal,
}

const SECURITY_NONE: u8 = 1;
const SECURITY_OK: [u8; 4] = [0; 4];

impl Server {
    /// Handles one step of the handshake; returns its length in bytes, 0 if it isn't there as a whole.
    pub(super) fn take_handshake(&mut self, rest: &[u8]) -> Result<usize, ProtocolError> {
        match self.phase {
            Phase::ProtocolVersion => {
                rest.first_chunk().map_or(Ok(0), |version| self.take_version(version))
            }
            Phase::Security { with_result } => match rest.first() {
                None => Ok(0),
                Some(&SECURITY_NONE) => {
                    self.output.extend(if with_result { &SECURITY_OK[..] } else { &[] });
                    self.phase = Phase::ClientInit;
                    Ok(1)
                }
                Some(_) => Err(ProtocolError::Security),
            },
            Phase::ClientInit if rest.is_empty() => Ok(0),
            Phase::ClientInit => {
                // The byte is the shared-flag. Who else may watch is the broker's decision, so it is ignored.
                self.write_server_init();
                Ok(1)
            }
            Phase::Normal => Ok(0),
        }
    }

    fn take_version(&mut self, version: &[u8; 12]) -> Result<usize, ProtocolError> {
        let [b'R', b'F', b'B', b' ', b'0', b'0', b'3', b'.', minor @ .., b'\n'] = version else {
            return Err(ProtocolError::Version);
        };
        let minor = std::str::from_utf8(minor).ok().and_then(|minor| minor.parse::<u16>().ok());
        self.phase = match minor.ok_or(ProtocolError::Version)? {
            ..3 => return Err(ProtocolError::Version),
            // Up to 3.6 the server decides the security type and sends it as a word (RFC 6143, appendix A).
            // The numbers between 3.3 and 3.7 count as 3.3 (7.1.1).
            3..7 => {
                self.output.extend(u32::from(SECURITY_NONE).to_be_bytes());
                Phase::ClientInit
            }
            minor => {
                self.output.extend([1, SECURITY_NONE]);
                // 3.7 has no SecurityResult after the type None; 3.8 has (appendix A).
                Phase::Security { with_result: minor > 7 }
            }
        };
        Ok(version.len())
    }

    fn write_server_init(&mut self) {
        let Rect { w, h, .. } = self.screen.area;
        self.client = ClientFramebuffer::new(w, h);
        self.output.extend([w, h].map(u16::to_be_bytes).as_flattened());
        self.format.write(&mut self.output);
        self.output.extend((self.name.len() as u32).to_be_bytes());
        self.output.extend(self.name.as_bytes());
        self.phase = Phase::Normal;
        self.announce_clipboard();
    }
}
