//! The `remove` command: takes the registration back and deletes the runner's files.

use std::io;

use super::arguments::Arguments;
use super::configure::required;
use super::files;
use super::host::Host;
use super::registration::RegistrationApi;
use super::return_code::ReturnCode;

/// Runs the command. When GitHub refuses, the files stay.
pub(crate) async fn remove(host: &Host, arguments: &Arguments) -> ReturnCode {
    match unregister(host, arguments).await {
        Ok(()) => ReturnCode::Success,
        Err(message) => {
            host.console.write_error(&message);
            ReturnCode::TerminatedError
        }
    }
}

async fn unregister(host: &Host, arguments: &Arguments) -> Result<(), String> {
    if files::has_service(&host.root) {
        return Err("Uninstall service first".to_owned());
    }
    host.console.write_section("Runner removal");
    if arguments.has_flag("local") {
        return delete_files(host).map_err(|error| error.to_string());
    }
    if files::is_configured(&host.root) && files::has_credentials(&host.root) {
        let settings = files::load_settings(&host.root).map_err(|error| error.to_string())?;
        let token = required(arguments, "token")?;
        let failed = |message| {
            host.console.write_error("Failed: Removing runner from the server");
            message
        };
        let api = RegistrationApi::new(host, &settings.git_hub_url, token)
            .ok_or_else(|| failed("The configured URL is not valid.".to_owned()))?;
        api.exchange_token("remove").await.map_err(failed)?;
        api.remove(settings.agent_id).await.map_err(failed)?;
        host.console.write_success("Runner removed successfully");
    } else {
        host.console.write_line(
            "Cannot connect to server, because config files are missing. Skipping removing runner from the server.",
        );
    }
    delete_files(host).map_err(|error| error.to_string())
}

fn delete_files(host: &Host) -> io::Result<()> {
    if files::has_credentials(&host.root) {
        files::delete_credentials(&host.root)?;
        host.console.write_success("Removed .credentials");
    } else {
        host.console.write_line("Does not exist. Skipping Removing .credentials");
    }
    if files::is_configured(&host.root) {
        files::delete_settings(&host.root)?;
        host.console.write_success("Removed .runner");
    } else {
        host.console.write_line("Does not exist. Skipping Removing .runner");
    }
    Ok(())
}
