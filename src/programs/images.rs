//! The images of a runner's own engine, through `podman --url`: podman-images(1), podman-rmi(1).
//!
//! The engine belongs to whoever runs workflows there: what it says is taken for no more than what it says, and not waited for
//! without an end.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use super::{ProgramError, output_within};

/// An engine that is started by its socket and has an image to delete may take this long; one that never answers costs no more.
const LIMIT: Duration = Duration::from_secs(120);

/// An image of the engine's own that no container uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusedImage {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Names with tags; none for what a newer build or pull left behind.
    pub tags: Vec<String>,
    /// Bytes, layers that other images have as well included.
    pub bytes: u64,
    /// When it was built: Podman keeps no other time.
    pub created: SystemTime,
}

/// What `podman images --format json` says of one image.
#[derive(Debug, Deserialize)]
struct Listed {
    #[serde(rename = "Id")]
    id: String,
    #[serde(rename = "Names", default)]
    names: Option<Vec<String>>,
    #[serde(rename = "Size", default)]
    size: u64,
    /// Seconds since the epoch.
    #[serde(rename = "Created", default)]
    created: i64,
    /// Left out where it is 0.
    #[serde(rename = "Containers", default)]
    containers: i64,
    /// From a store that the engine only reads, such as one that several engines share.
    #[serde(rename = "ReadOnly", default)]
    read_only: bool,
}

/// The images that no container uses, of the engine that listens at `socket`.
///
/// # Errors
/// The engine does not answer, or not as Podman does.
pub async fn unused_images(podman: &Path, socket: &Path) -> Result<Vec<UnusedImage>, ProgramError> {
    let mut command = remote(podman, socket);
    command.args(["images", "--format", "json"]);
    let text = output_within(command, LIMIT).await?;
    parse(&text).map_err(|source| ProgramError::Words { program: podman.to_owned(), source })
}

/// Deletes an image, unless a container uses it meanwhile.
///
/// # Errors
/// The engine does not answer, or refuses.
pub async fn remove_image(
    podman: &Path,
    socket: &Path,
    id: &str,
    tags: &[String],
) -> Result<(), ProgramError> {
    let mut command = remote(podman, socket);
    command.args(["image", "rm", "--"]);
    // An image goes with the last of its names; by its id alone it is refused while it has several.
    if tags.is_empty() {
        command.arg(id)
    } else {
        command.args(tags)
    };
    output_within(command, LIMIT).await.map(drop)
}

fn remote(podman: &Path, socket: &Path) -> Command {
    let mut command = Command::new(podman);
    command.arg("--url").arg(format!("unix://{}", socket.display()));
    command
}

fn parse(text: &str) -> Result<Vec<UnusedImage>, serde_json::Error> {
    let listed: Vec<Listed> = serde_json::from_str(text)?;
    Ok(listed
        .into_iter()
        .filter(|image| image.containers == 0 && !image.read_only)
        .filter_map(Listed::plain)
        .collect())
}

impl Listed {
    /// Without what no Podman says: these words go into a command line and to a terminal.
    fn plain(self) -> Option<UnusedImage> {
        let is_id = self.id.len() == 64 && self.id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let tags = self.names.unwrap_or_default();
        let is_name = |name: &String| {
            name.starts_with(|c: char| c.is_ascii_alphanumeric())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@".contains(c))
        };
        if !is_id || !tags.iter().all(is_name) {
            return None;
        }
        let seconds = Duration::from_secs(u64::try_from(self.created).unwrap_or(0));
        let created = UNIX_EPOCH.checked_add(seconds).unwrap_or(UNIX_EPOCH);
        Some(UnusedImage { id: self.id, tags, bytes: self.size, created })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn listing(id: &str, rest: &str) -> String {
        format!(
            "[{{\"Id\":\"{id}\",\"ParentId\":\"\",\"RepoTags\":null,\"Size\":1000,\"SharedSize\":0,\"Created\":1795000000,\"CreatedAt\":\"2026-11-18T10:26:40Z\"{rest}}}]"
        )
    }

    #[test]
    fn unused_images_are_read_with_their_names_and_their_age() {
        let id = "a".repeat(64);
        let image = UnusedImage {
            id: id.clone(),
            tags: vec!["docker.io/library/node:22".to_owned()],
            bytes: 1000,
            created: UNIX_EPOCH + Duration::from_secs(1_795_000_000),
        };
        let named = listing(&id, ",\"Names\":[\"docker.io/library/node:22\"]");
        assert_eq!(parse(&named).unwrap(), [image]);
        assert!(parse(&listing(&id, "")).unwrap().first().unwrap().tags.is_empty());
        assert!(parse(&listing(&id, ",\"Containers\":1")).unwrap().is_empty());
        assert!(parse(&listing(&id, ",\"ReadOnly\":true")).unwrap().is_empty());
        assert!(parse("[]").unwrap().is_empty());
    }

    #[test]
    fn what_no_podman_says_is_left_out() {
        let id = "a".repeat(64);
        for (id, rest) in [
            ("--all", ""),
            ("abc", ""),
            (id.as_str(), ",\"Names\":[\"--force\"]"),
            (id.as_str(), ",\"Names\":[\"good:1\",\"a\\u001b[2J\"]"),
        ] {
            assert!(parse(&listing(id, rest)).unwrap().is_empty(), "{id} {rest}");
        }
        assert!(parse("{}").is_err() && parse("").is_err());
    }
}
