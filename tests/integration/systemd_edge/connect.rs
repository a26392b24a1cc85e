//! Connections that cannot be made, and their hints.

use std::{io, sync::Arc, time::Duration};

use homelab_runners::systemd::{Error, Scope, Systemd};

fn no_bus(scope: Scope, is_booted: bool, variable: Option<&'static str>, source: zbus::Error) -> Error {
    let address = "unix:path=/run/bus".to_owned();
    Error::NoBus { scope, address, reason: "no".to_owned(), is_booted, variable, source: Box::new(source) }
}

fn hint(error: &Error) -> String {
    error.hint().unwrap()
}

#[test]
fn a_missing_bus_tells_what_the_host_lacks() {
    let missing = || zbus::Error::Address("gone".to_owned());

    let error = no_bus(Scope::System, true, None, missing());
    assert_eq!(error.to_string(), "cannot reach the system bus at unix:path=/run/bus: no");
    assert_eq!(hint(&error), "the bus is not running: `systemctl start dbus.socket`");
    let error = no_bus(Scope::System, false, None, missing());
    assert!(hint(&error).starts_with("this host was not booted with systemd"));
    let error = no_bus(Scope::User, true, None, missing());
    assert!(hint(&error).contains("loginctl enable-linger") && hint(&error).contains("XDG_RUNTIME_DIR"));
    let error = no_bus(Scope::System, true, Some("DBUS_SYSTEM_BUS_ADDRESS"), missing());
    assert_eq!(hint(&error), "the address comes from DBUS_SYSTEM_BUS_ADDRESS: correct it or unset it");
}

#[test]
fn the_bus_of_another_user_carries_the_hint_to_leave_sudo_away() {
    let turned_away = zbus::Error::InputOutput(Arc::new(io::Error::other("closed")));
    let error = no_bus(Scope::User, true, None, turned_away);

    let expected = "the bus refuses this user: run it as the user that the units belong to, without sudo";
    assert_eq!(hint(&error), expected);
}

#[test]
fn hints_of_the_user_scope_name_the_user_option() {
    let error = Error::TimedOut {
        scope: Scope::User,
        unit: "a.service".to_owned(),
        verb: homelab_runners::systemd::Verb::Stop,
        limit: Duration::from_secs(5),
        is_queued: true,
    };

    assert_eq!(hint(&error), "see `systemctl --user list-jobs` and `systemctl --user status a.service`");
}

#[tokio::test(start_paused = true)]
async fn an_address_where_nobody_listens_is_an_error_at_once() {
    let error = Systemd::connect_at(Scope::System, "unix:path=/nonexistent/bus").await.unwrap_err();

    let message = error.to_string();
    assert!(
        message.starts_with("cannot reach the system bus at unix:path=/nonexistent/bus: No such file"),
        "{message}"
    );
    let error = Systemd::connect_at(Scope::System, "nonsense").await.unwrap_err();
    assert!(matches!(error, Error::NoBus { address, .. } if address == "nonsense"));
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_never_greets_is_given_up_after_five_seconds() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bus");
    let _silent = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let address = format!("unix:path={}", path.display());

    let error = Systemd::connect_at(Scope::System, &address).await.unwrap_err();

    assert_eq!(error.to_string(), format!("the system bus at {address} did not answer within 5s"));
}
