//! A passkey's public key: COSE, of the three kinds that browsers are asked for.

use ciborium::Value;
use ring::{
    digest::{SHA256, digest},
    signature::{
        ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
        UnparsedPublicKey,
    },
};

use super::{Assertion, Refusal, attested};

/// COSE's numbers for the algorithms.
const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;

// COSE's numbers for a key's parts: the negative ones mean another thing with each kind of key.
const KIND: i64 = 1;
const ALGORITHM: i64 = 3;
const CURVE: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;
const MODULUS: i64 = -1;
const EXPONENT: i64 = -2;

/// A public key that can check a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum PublicKey {
    /// ECDSA on P-256, the point uncompressed.
    Es256([u8; 65]),
    /// RSASSA-PKCS1-v1_5.
    Rs256 { modulus: Vec<u8>, exponent: Vec<u8> },
    /// EdDSA on Ed25519.
    EdDsa([u8; 32]),
}

impl PublicKey {
    /// The algorithms that browsers are asked for, the preferred one first.
    pub(in super::super) const ALGORITHMS: [i64; 3] = [ES256, RS256, EDDSA];

    /// Reads a COSE key; a byte too many is an error.
    pub(in super::super) fn parse(cose: &[u8]) -> Result<Self, Refusal> {
        let parts = Parts::read(cose).ok_or(Refusal::Key)?;
        // A key names its kind, algorithm and curve separately, of which only these three combinations are valid.
        let read = match (parts.number(KIND), parts.number(ALGORITHM), parts.number(CURVE)) {
            (Some(2), Some(ES256), Some(1)) => parts.point().map(Self::Es256),
            (Some(1), Some(EDDSA), Some(6)) => parts.bytes(X).map(Self::EdDsa),
            (Some(3), Some(RS256), None) => parts.rsa(),
            _ => None,
        };
        read.ok_or(Refusal::Key)
    }

    /// Checks a device's signature: over its data and the hash of the browser's.
    pub(in super::super) fn verify_assertion(
        &self,
        assertion: &Assertion<'_>,
    ) -> Result<(), Refusal> {
        let mut message = assertion.authenticator_data.to_vec();
        message.extend_from_slice(digest(&SHA256, assertion.client_data).as_ref());
        let signature = assertion.signature;
        let verified = match self {
            Self::Es256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(&message, signature)
            }
            Self::EdDsa(key) => UnparsedPublicKey::new(&ED25519, key).verify(&message, signature),
            Self::Rs256 { modulus, exponent } => {
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, &message, signature)
            }
        };
        verified.map_err(|_| Refusal::Signature)
    }
}

/// A COSE key's numbered parts.
struct Parts(Vec<(i64, Value)>);

impl Parts {
    fn read(cose: &[u8]) -> Option<Self> {
        let (Value::Map(pairs), []) = attested::item(cose)? else { return None };
        let mut parts: Vec<(i64, Value)> = Vec::new();
        for (label, value) in pairs {
            let label = i64::try_from(label.as_integer()?).ok()?;
            // Two parts of one number: who reads the other one reads another key.
            if parts.iter().any(|(known, _)| *known == label) {
                return None;
            }
            parts.push((label, value));
        }
        Some(Self(parts))
    }

    fn value(&self, label: i64) -> Option<&Value> {
        self.0.iter().find(|(known, _)| *known == label).map(|(_, value)| value)
    }

    fn number(&self, label: i64) -> Option<i64> {
        self.value(label)?.as_integer()?.try_into().ok()
    }

    fn bytes<const N: usize>(&self, label: i64) -> Option<[u8; N]> {
        self.value(label)?.as_bytes()?.as_slice().try_into().ok()
    }

    fn point(&self) -> Option<[u8; 65]> {
        let (x, y) = (self.bytes::<32>(X)?, self.bytes::<32>(Y)?);
        // 4 marks an uncompressed point (SEC 1, section 2.3.3), which is the form that ring takes.
        let mut point = [4; 65];
        point[1..33].copy_from_slice(&x);
        point[33..].copy_from_slice(&y);
        Some(point)
    }

    fn rsa(&self) -> Option<PublicKey> {
        // Leading zeros are not allowed there, and ring refuses them; some devices write them.
        let number = |label| -> Option<Vec<u8>> {
            let bytes = self.value(label)?.as_bytes()?;
            let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
            Some(bytes[zeros..].to_vec())
        };
        let (modulus, exponent) = (number(MODULUS)?, number(EXPONENT)?);
        // 2048 to 8192 bits, which is what ring verifies.
        let good = (256..=1024).contains(&modulus.len()) && (1..=5).contains(&exponent.len());
        good.then_some(PublicKey::Rs256 { modulus, exponent })
    }
}
