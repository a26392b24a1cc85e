//! Opening a session, with the real runner's patience.

use serde_json::json;

use super::broker::{Broker, BrokerError};
use super::files::{self, RunnerSettings};
use super::host::Host;
use super::return_code::ReturnCode;
use super::signals::StopWish;

const RETRY_SECONDS: f64 = 30.0;
const CONFLICT_LIMIT_SECONDS: f64 = 240.0;

const REGISTRATION_DELETED: &str = "Failed to create a session. The runner registration has been deleted from the \
     server, please re-configure. Runner registrations are automatically deleted for runners that have not connected \
     to the service recently.";
const RUNNER_GONE: &str = "The runner no longer exists on the server. Cleaning up local configuration.";

/// What went wrong so far.
#[derive(Debug, Default)]
struct Tries {
    is_outage: bool,
    conflicts: f64,
}

/// Opens a session, or tells with which code the runner ends.
pub(crate) async fn open(
    host: &Host,
    broker: &Broker,
    settings: &RunnerSettings,
    stop: &mut StopWish,
) -> Result<String, ReturnCode> {
    let agent = json!({
        "id": settings.agent_id,
        "name": settings.agent_name,
        "version": host.version,
        "osDescription": "Linux (stand-in)",
    });
    let mut tries = Tries::default();
    loop {
        let opened = tokio::select! {
            biased;
            () = stop.any() => return Err(stopped(host, stop)),
            opened = broker.open_session(&agent) => opened,
        };
        match opened {
            Ok(session_id) => {
                if tries.is_outage {
                    host.console.write_timed_line("Runner reconnected.");
                }
                host.count("SessionCreated");
                return Ok(session_id);
            }
            Err(error) => tries.note(host, error)?,
        }
        tokio::select! {
            () = stop.any() => return Err(stopped(host, stop)),
            () = tokio::time::sleep(host.scaled(RETRY_SECONDS)) => {}
        }
    }
}

impl Tries {
    /// Tells of an error as often as the real runner does, and gives up where it does.
    fn note(&mut self, host: &Host, error: BrokerError) -> Result<(), ReturnCode> {
        match error {
            BrokerError::SessionConflict => {
                host.console.write_error("A session for this runner already exists.");
                self.conflicts += 1.0;
                if self.conflicts * RETRY_SECONDS >= CONFLICT_LIMIT_SECONDS {
                    host.console.write_error(&format!(
                        "Stop retry on SessionConflictException after retried for {CONFLICT_LIMIT_SECONDS} seconds."
                    ));
                    return Err(ReturnCode::SessionConflict);
                }
                Ok(())
            }
            BrokerError::Temporary(message) | BrokerError::Refused(message) => {
                if !std::mem::replace(&mut self.is_outage, true) {
                    host.console.write_timed_error(&format!(
                        "Runner connect error: {message}. Retrying until reconnected."
                    ));
                }
                Ok(())
            }
            BrokerError::SessionInvalid => Ok(()),
            fatal => Err(give_up(host, fatal)),
        }
    }
}

/// Reports an error after which no session can be had.
fn give_up(host: &Host, error: BrokerError) -> ReturnCode {
    match error {
        BrokerError::RegistrationDeleted => {
            host.console.write_error(REGISTRATION_DELETED);
            ReturnCode::TerminatedError
        }
        BrokerError::RunnerNotFound => clean_up_after_deletion(host),
        BrokerError::VersionTooOld(message) => refuse_version(host, &message),
        BrokerError::Denied(message) | BrokerError::Refused(message) | BrokerError::Temporary(message) => {
            host.console.write_error(&format!("Failed to create session. {message}"));
            ReturnCode::TerminatedError
        }
        BrokerError::SessionConflict | BrokerError::SessionInvalid => ReturnCode::SessionConflict,
    }
}

/// The registration is gone, so the files that prove it are of no use any more.
pub(crate) fn clean_up_after_deletion(host: &Host) -> ReturnCode {
    host.console.write_error(RUNNER_GONE);
    let deleted = files::delete_credentials(&host.root).and_then(|()| files::delete_settings(&host.root));
    if let Err(error) = deleted {
        host.console.write_error(&format!("An error occurred: {error}"));
        return ReturnCode::RetryableError;
    }
    ReturnCode::Success
}

pub(crate) fn refuse_version(host: &Host, message: &str) -> ReturnCode {
    host.console.write_error(&format!("An error occurred: {message}"));
    let wants_own_code = host.environment.get("ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE");
    if wants_own_code == Some("1") {
        ReturnCode::RunnerVersionDeprecated
    } else {
        ReturnCode::TerminatedError
    }
}

fn stopped(host: &Host, stop: &StopWish) -> ReturnCode {
    if stop.current() == super::signals::Stop::Terminated {
        return ReturnCode::Terminated;
    }
    host.console.write_line("Exiting...");
    ReturnCode::Success
}
