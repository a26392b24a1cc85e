//! RSA public keys in PEM, as `openssl rsa -pubout` writes them and as PKCS #1 has them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
/// The bit of a DER length that says that the length has bytes of its own.
const LONG_LENGTH: u8 = 0x80;

/// The PKCS #1 DER of a public key.
pub(crate) fn read(pem: &str) -> Option<Vec<u8>> {
    if let Some(der) = section(pem, "RSA PUBLIC KEY") {
        return Some(der);
    }
    // SubjectPublicKeyInfo: a sequence of the algorithm and, in a bit string, the key.
    let der = section(pem, "PUBLIC KEY")?;
    let (content, _) = element(SEQUENCE, &der)?;
    let (_, rest) = element(SEQUENCE, content)?;
    let (bits, _) = element(BIT_STRING, rest)?;
    // The first byte counts unused bits.
    bits.strip_prefix(&[0]).map(<[u8]>::to_vec)
}

/// The bytes between the lines of this label.
fn section(pem: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let text: String = body.split_whitespace().collect();
    STANDARD.decode(text).ok()
}

/// The content of the first element, which has to be of this kind, and what follows it.
fn element(kind: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match der {
        [tag, ..] if *tag != kind => return None,
        [_, length, rest @ ..] if length & LONG_LENGTH == 0 => (usize::from(*length), rest),
        [_, length, rest @ ..] => {
            let (digits, rest) = rest.split_at_checked(usize::from(length & !LONG_LENGTH))?;
            let digits = digits.iter().try_fold(0_usize, |number, digit| {
                Some(number.checked_mul(256)?.saturating_add(usize::from(*digit)))
            });
            (digits?, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_taken_out_of_its_wrapping() {
        // SEQUENCE { SEQUENCE {}, BIT STRING { 0 unused bits, 2 bytes } }
        let der = [0x30, 0x81, 7, 0x30, 0, 0x03, 3, 0, 0xaa, 0xbb];
        let pem = |label, der: &[u8]| {
            format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
        };
        assert_eq!(read(&pem("PUBLIC KEY", &der)), Some(vec![0xaa, 0xbb]));
        assert_eq!(read(&pem("RSA PUBLIC KEY", &[1, 2])), Some(vec![1, 2]));
    }

    #[test]
    fn what_is_no_public_key_is_refused_and_nothing_worse() {
        let pem = |der: &[u8]| {
            format!("-----BEGIN PUBLIC KEY-----{}-----END PUBLIC KEY-----", STANDARD.encode(der))
        };
        let whole = [0x30, 7, 0x30, 0, 0x03, 3, 0, 0xaa, 0xbb];
        for length in 0..whole.len() {
            assert_eq!(whole.get(..length).and_then(|part| read(&pem(part))), None, "{length}");
        }
        assert_eq!(read(&pem(&[0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1])), None);
        assert_eq!(read("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"), None);
    }
}
