//! The `configure` command: registers the runner and writes its files.

use std::io;

use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use super::arguments::Arguments;
use super::files::{self, CredentialData, Credentials, RunnerSettings};
use super::host::Host;
use super::key::RsaParameters;
use super::registration::{Registration, RegistrationApi, RunnerGroup};
use super::return_code::ReturnCode;

const ALREADY_CONFIGURED: &str = "Cannot configure the runner because it is already configured. To reconfigure the \
     runner, run 'config.cmd remove' or './config.sh remove' first.";
const NO_CONSOLE: &str = "Cannot read keys when either application does not have a console or when console input has \
     been redirected. Try Console.Read.";
const MAXIMUM_LABEL_LENGTH: usize = 256;

/// Runs the command. An interrupt ends it at once.
pub(crate) async fn configure(host: &Host, arguments: &Arguments) -> ReturnCode {
    let interrupted = async {
        match signal(SignalKind::interrupt()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        outcome = register(host, arguments) => match outcome {
            Ok(()) => ReturnCode::Success,
            Err(message) => {
                host.console.write_error(&message);
                ReturnCode::TerminatedError
            }
        },
        () = interrupted => ReturnCode::TerminatedError,
    }
}

async fn register(host: &Host, arguments: &Arguments) -> Result<(), String> {
    if files::is_configured(&host.root) {
        return Err(ALREADY_CONFIGURED.to_owned());
    }
    host.console.write_section("Authentication");
    let url = required(arguments, "url")?;
    let token = required(arguments, "token")?;
    let labels = labels(arguments)?;
    let api = RegistrationApi::new(host, url, token).ok_or_else(|| invalid("url"))?;
    api.exchange_token("register").await?;
    host.console.write_success("Connected to GitHub");

    host.console.write_section("Runner Registration");
    let group = choose_group(api.runner_groups().await?, arguments.value("runnergroup"))?;
    let key = RsaParameters::generate();
    let request = json!({
        "url": url,
        "group_id": group.id,
        "name": arguments.value("name").map_or_else(Host::machine_name, ToOwned::to_owned),
        "version": host.version,
        "updates_disabled": arguments.has_flag("disableupdate"),
        "ephemeral": arguments.has_flag("ephemeral"),
        "labels": labels,
        "public_key": key.public_key(),
    });
    let registration = add_or_replace(host, &api, request, arguments.has_flag("replace")).await?;

    host.console.write_section("Runner settings");
    save(host, arguments, url, &group, registration, &key)
        .map_err(|error| format!("Cannot save the runner's settings: {error}"))?;
    host.console.write_success("Settings Saved.");
    host.console.write_line("");
    Ok(())
}

/// Registers the runner; one of the same name is only replaced when that is wanted.
async fn add_or_replace(
    host: &Host,
    api: &RegistrationApi<'_>,
    mut request: Value,
    replaces: bool,
) -> Result<Registration, String> {
    let name = request.get("name").and_then(Value::as_str).unwrap_or_default();
    let Some(existing) = api.runner_named(name).await? else {
        let registration = api.register(&request).await?;
        host.console.write_success("Runner successfully added");
        return Ok(registration);
    };
    if !replaces {
        return Err(format!("A runner exists with the same name {name}."));
    }
    if let Some(fields) = request.as_object_mut() {
        fields.insert("runner_id".to_owned(), existing.id.into());
        fields.insert("replace".to_owned(), true.into());
    }
    let registration = api.register(&request).await?;
    host.console.write_line("A runner exists with the same name");
    host.console.write_success("Successfully replaced the runner");
    Ok(registration)
}

/// An argument that has no default. Nobody is there to be asked for it.
pub(crate) fn required<'a>(arguments: &'a Arguments, name: &str) -> Result<&'a str, String> {
    match arguments.value(name) {
        Some(value) => Ok(value),
        None if arguments.has_flag("unattended") => Err(invalid(name)),
        None => Err(NO_CONSOLE.to_owned()),
    }
}

fn invalid(name: &str) -> String {
    format!("Invalid configuration provided for {name}. Terminating unattended configuration.")
}

/// The labels in the form of the API: the system's own, then the user's.
fn labels(arguments: &Arguments) -> Result<Vec<Value>, String> {
    let mut wanted: Vec<&str> = Vec::new();
    for label in arguments.value("labels").unwrap_or_default().split(',').map(str::trim) {
        if label.len() > MAXIMUM_LABEL_LENGTH {
            return Err(invalid("labels"));
        }
        if !label.is_empty() && !wanted.iter().any(|known| known.eq_ignore_ascii_case(label)) {
            wanted.push(label);
        }
    }
    let has_default_labels = !arguments.has_flag("no-default-labels");
    if !has_default_labels && wanted.is_empty() {
        return Err(
            "Disabling default labels via --no-default-labels without specifying --labels is not supported"
                .to_owned(),
        );
    }
    let architecture = if std::env::consts::ARCH == "aarch64" { "ARM64" } else { "X64" };
    let defaults: &[&str] = if has_default_labels { &["self-hosted", "Linux", architecture] } else { &[] };
    wanted.retain(|label| !defaults.iter().any(|default| default.eq_ignore_ascii_case(label)));
    let label = |name: &str, kind: &str| json!({ "id": 0, "name": name, "type": kind });
    let system = defaults.iter().map(|name| label(name, "system"));
    Ok(system.chain(wanted.iter().map(|name| label(name, "user"))).collect())
}

fn choose_group(groups: Vec<RunnerGroup>, wanted: Option<&str>) -> Result<RunnerGroup, String> {
    let mut own = groups.into_iter().filter(|group| !group.is_hosted);
    match wanted {
        Some(name) => own
            .find(|group| group.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| format!("Could not find any self-hosted runner group named \"{name}\".")),
        None => own
            .find(|group| group.is_default)
            .ok_or_else(|| "Could not find any self-hosted runner groups. Contact support.".to_owned()),
    }
}

fn save(
    host: &Host,
    arguments: &Arguments,
    url: &str,
    group: &RunnerGroup,
    registration: Registration,
    key: &RsaParameters,
) -> io::Result<()> {
    files::save_key(&host.root, key)?;
    let credentials = Credentials {
        scheme: "OAuth".to_owned(),
        data: CredentialData {
            client_id: registration.authorization.client_id,
            authorization_url: registration.authorization.authorization_url,
            require_fips_cryptography: "True".to_owned(),
        },
    };
    files::save_credentials(&host.root, &credentials)?;
    let settings = RunnerSettings {
        agent_id: registration.id,
        agent_name: registration.name,
        pool_id: group.id,
        pool_name: group.name.clone(),
        disable_update: arguments.has_flag("disableupdate"),
        ephemeral: arguments.has_flag("ephemeral"),
        server_url: registration.authorization.server_url.clone(),
        git_hub_url: url.to_owned(),
        work_folder: arguments.value("work").unwrap_or("_work").to_owned(),
        use_v2_flow: true,
        use_runner_admin_flow: true,
        server_url_v2: registration.authorization.server_url,
    };
    files::save_settings(&host.root, &settings)
}
