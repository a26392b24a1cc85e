//! The images that runners run, in the host's own engine: podman-pull(1), podman-image-inspect(1), podman-tag(1), podman-container-inspect(1), and the
//! same of Docker, whose JSON has these fields, too.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ProgramError, output, output_within};

/// An engine that takes longer to say what it has is not waited for, where nobody has asked. At a boot all runners ask at once.
const LIMIT: Duration = Duration::from_secs(15);

/// An image of the engine's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunnerImage {
    /// 64 hexadecimal digits.
    pub id: String,
    /// When it was built, RFC 3339; the engine's own words.
    pub created: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectedImage {
    id: String,
    #[serde(default)]
    created: String,
}

impl From<InspectedImage> for RunnerImage {
    fn from(image: InspectedImage) -> Self {
        Self { id: plain_id(&image.id), created: image.created }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectedContainer {
    name: String,
    image: String,
}

/// Pulls what `reference` means at its registry now, as the engine is logged in there. The engine's progress goes to standard error. Dropping the future ends
/// the pull.
///
/// # Errors
/// The engine cannot be started or cannot pull; it has said why on standard error.
pub async fn pull(engine: &Path, reference: &str) -> Result<(), ProgramError> {
    let start = |source| ProgramError::Start { program: engine.to_owned(), source };
    let mut command = tokio::process::Command::from(apart(engine));
    // Podman prints the id there, Docker its progress.
    let to_stderr = io::stderr();
    let to_stderr = std::os::fd::AsFd::as_fd(&to_stderr).try_clone_to_owned().map_err(start)?;
    command.args(["pull", reference]).stdin(Stdio::null()).stdout(to_stderr).kill_on_drop(true);
    let status = command.status().await.map_err(start)?;
    if status.success() {
        return Ok(());
    }
    let stderr = "it says why above".to_owned();
    Err(ProgramError::Failed { program: engine.to_owned(), status: status.to_string(), stderr })
}

/// The images of these names or ids, by what was asked for; what the engine does not have is left out.
///
/// # Errors
/// The engine cannot be asked.
pub fn runner_images(engine: &Path, asked: &[&str]) -> Result<BTreeMap<String, RunnerImage>, ProgramError> {
    let mut found = BTreeMap::new();
    for name in asked {
        // One by one: an answer does not say which question it belongs to.
        let mut command = apart(engine);
        command.args(["image", "inspect", name]);
        let text = match output(command) {
            Err(ProgramError::Failed { stderr, .. }) if is_missing(&stderr) => continue,
            other => other?,
        };
        let inspected: Vec<InspectedImage> = parse(engine, &text)?;
        if let Some(image) = inspected.into_iter().next() {
            found.insert((*name).to_owned(), image.into());
        }
    }
    Ok(found)
}

/// Lets `reference` mean the image `id`, as `podman tag` does; the image that it meant stays.
///
/// # Errors
/// The engine has no such image, or cannot be started.
pub fn tag(engine: &Path, id: &str, reference: &str) -> Result<(), ProgramError> {
    let mut command = apart(engine);
    command.args(["tag", id, reference]);
    output(command).map(drop)
}

/// The ids of the images that the running ones among the containers `names` run, by name.
///
/// # Errors
/// The engine cannot be asked.
pub fn container_images(engine: &Path, names: &[&str]) -> Result<BTreeMap<String, String>, ProgramError> {
    let mut list = apart(engine);
    list.args(["ps", "--format", "{{.Names}}"]);
    let running = output(list)?;
    images_of_running(engine, &running.lines().filter(|name| names.contains(name)).collect::<Vec<_>>())
}

/// One that has ended meanwhile is left out.
fn images_of_running(engine: &Path, running: &[&str]) -> Result<BTreeMap<String, String>, ProgramError> {
    if running.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut command = apart(engine);
    command.args(["container", "inspect"]).args(running);
    let text = match output(command) {
        // One of them has ended meanwhile: each by itself, then.
        Err(ProgramError::Failed { .. }) if running.len() > 1 => {
            let each = running.iter().map(|name| images_of_running(engine, &[name]));
            return Ok(each.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect());
        }
        Err(ProgramError::Failed { stderr, .. }) if is_missing(&stderr) => return Ok(BTreeMap::new()),
        other => other?,
    };
    let inspected: Vec<InspectedContainer> = parse(engine, &text)?;
    let image = |container: InspectedContainer| {
        (container.name.trim_start_matches('/').to_owned(), plain_id(&container.image))
    };
    Ok(inspected.into_iter().map(image).collect())
}

/// The image of the container `name`; `None` where it has ended.
///
/// # Errors
/// The engine cannot be asked, or does not answer within seconds.
pub async fn image_of_container(engine: &Path, name: &str) -> Result<Option<RunnerImage>, ProgramError> {
    let container: Option<InspectedContainer> = inspected(engine, "container", name).await?;
    let Some(container) = container else { return Ok(None) };
    let image: Option<InspectedImage> = inspected(engine, "image", &plain_id(&container.image)).await?;
    Ok(image.map(RunnerImage::from))
}

async fn inspected<T: serde::de::DeserializeOwned>(
    engine: &Path,
    kind: &str,
    name: &str,
) -> Result<Option<T>, ProgramError> {
    let mut command = apart(engine);
    command.args([kind, "inspect", name]);
    let text = match output_within(command, LIMIT).await {
        Err(ProgramError::Failed { stderr, .. }) if is_missing(&stderr) => return Ok(None),
        other => other?,
    };
    let found: Vec<T> = parse(engine, &text)?;
    Ok(found.into_iter().next())
}

/// Out of reach of the terminal's Ctrl-C: what it means in the middle of an update is the caller's decision.
fn apart(engine: &Path) -> Command {
    let mut command = Command::new(engine);
    command.process_group(0);
    command
}

/// "no such image", "No such container", "image not known": podman-image-exists(1) would be one call more.
fn is_missing(stderr: &str) -> bool {
    let stderr = stderr.to_ascii_lowercase();
    ["no such", "not known", "no container with name"].iter().any(|words| stderr.contains(words))
}

/// Docker's ids bear the name of the digest's algorithm.
fn plain_id(id: &str) -> String {
    id.strip_prefix("sha256:").unwrap_or(id).to_owned()
}

fn parse<T: serde::de::DeserializeOwned>(engine: &Path, text: &str) -> Result<Vec<T>, ProgramError> {
    serde_json::from_str(text)
        .map_err(|source| ProgramError::Words { program: PathBuf::from(engine), source })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_words_of_podman_and_of_docker_are_understood() {
        let podman = r#"[{"Id":"abc","Digest":"sha256:1","RepoTags":["a/b:1"],"Created":"2026-11-02T10:00:00.5Z","Config":{"Env":[]}}]"#;
        let docker = r#"[{"Id":"sha256:abc","RepoTags":[],"Created":"2026-11-02T10:00:00.5Z"}]"#;
        for text in [podman, docker] {
            let images: Vec<InspectedImage> = parse(Path::new("engine"), text).unwrap();
            let image = images.first().unwrap();
            assert_eq!(
                (plain_id(&image.id), image.created.as_str()),
                ("abc".to_owned(), "2026-11-02T10:00:00.5Z")
            );
        }
        let podman = r#"[{"Id":"c","Name":"r-1","Image":"abc","ImageName":"x.y/a:1"}]"#;
        let docker = r#"[{"Id":"c","Name":"/r-1","Image":"sha256:abc"}]"#;
        for text in [podman, docker] {
            let containers: Vec<InspectedContainer> = parse(Path::new("engine"), text).unwrap();
            let container = containers.first().unwrap();
            assert_eq!(container.name.trim_start_matches('/'), "r-1");
            assert_eq!(plain_id(&container.image), "abc");
        }
    }

    #[test]
    fn a_missing_image_is_told_from_an_engine_that_fails() {
        for words in [
            "Error: x.y/a:1: image not known",
            "Error response from daemon: No such image: x.y/a:1",
            "Error: No such container: r-1",
            "Error: no such container r-1",
            "Error: inspecting object: no container with name or ID \"r-1\" found",
        ] {
            assert!(is_missing(words), "{words}");
        }
        assert!(!is_missing("Cannot connect to the Docker daemon at unix:///var/run/docker.sock."));
    }
}
