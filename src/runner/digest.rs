//! Tells one text from another in few letters, for command lines and for files that are compared.

use sha2::{Digest, Sha256};

/// The first 16 hexadecimal digits of the SHA-256 of `text`.
#[must_use]
pub fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(8).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}
