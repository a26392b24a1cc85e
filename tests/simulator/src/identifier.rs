//! Identifiers in GitHub's forms. They have to look right and differ; they guard nothing.

const TOKEN_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const TOKEN_LENGTH: usize = 29;

/// A registration token: 29 characters of `[A-Z2-7]`.
pub(crate) fn registration_token() -> String {
    (0..TOKEN_LENGTH).filter_map(|_| fastrand::choice(TOKEN_ALPHABET)).map(|byte| char::from(*byte)).collect()
}

/// A classic personal access token.
pub(crate) fn classic_token() -> String {
    format!("ghp_{}", alphanumeric(36))
}

/// A fine-grained personal access token.
pub(crate) fn fine_grained_token() -> String {
    format!("github_pat_{}_{}", alphanumeric(22), alphanumeric(59))
}

/// An installation token in the long form: the app's id and a JWT, so with `.`, `-` and `_` in it.
pub(crate) fn installation_token(app_id: u64) -> String {
    format!("ghs_{app_id}_{}-_{}", web_token(), alphanumeric(16))
}

fn alphanumeric(length: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(length).collect()
}

/// A GUID in its usual form with hyphens.
pub(crate) fn guid() -> String {
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        fastrand::u32(..),
        fastrand::u16(..),
        fastrand::u16(..0x1000),
        fastrand::u16(0x8000..0xc000),
        fastrand::u64(..0x1_0000_0000_0000),
    )
}

/// A value for the `x-github-request-id` header.
pub(crate) fn request_id() -> String {
    format!(
        "{:04X}:{:05X}:{:06X}:{:06X}:{:08X}",
        fastrand::u16(..),
        fastrand::u32(..0x10_0000),
        fastrand::u32(..0x100_0000),
        fastrand::u32(..0x100_0000),
        fastrand::u32(..)
    )
}

/// A bearer token with the outer form of a JWT.
pub(crate) fn web_token() -> String {
    format!("eyJ{}.eyJ{}.{}", alphanumeric(33), alphanumeric(120), alphanumeric(86))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_token_has_29_characters_of_base_32() {
        let token = registration_token();
        assert_eq!(token.len(), 29);
        assert!(token.bytes().all(|byte| TOKEN_ALPHABET.contains(&byte)));
    }

    #[test]
    fn a_guid_has_five_groups() {
        let lengths: Vec<usize> = guid().split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
    }
}
