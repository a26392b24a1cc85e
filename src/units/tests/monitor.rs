//! The monitor's units.

use super::*;

fn text(fleet: &Fleet, name: &str) -> String {
    let files = render(fleet, &programs("/usr/bin/podman"));
    files.into_iter().find(|file| file.name() == name).map(|file| file.text).unwrap_or_default()
}

#[test]
fn without_the_monitor_there_is_none_of_it_and_nothing_that_wants_it() {
    let texts = render(&fleet("[monitor]\nenabled = false"), &programs("/usr/bin/podman"));
    let words = ["homelab-runners-monitor", "homelab-runners-heal"];
    for file in texts {
        assert!(
            words.iter().all(|word| !file.name().contains(word) && !file.text.contains(word)),
            "{}",
            file.name()
        );
    }
}

#[test]
fn who_answers_http_cannot_restart_and_who_restarts_does_not_listen() {
    let fleet = fleet("");
    let monitor = text(&fleet, names::MONITOR_SERVICE);
    for line in [
        "DynamicUser=yes",
        "CapabilityBoundingSet=",
        "NoNewPrivileges=yes",
        "BindPaths=/run/homelab-runners-heal/socket",
    ] {
        assert!(monitor.lines().any(|found| found == line), "{line}:\n{monitor}");
    }
    assert!(monitor.contains("--heal-socket=/run/homelab-runners-heal/socket\n"), "{monitor}");
    let socket = text(&fleet, names::HEAL_SOCKET);
    for line in [
        "ListenStream=/run/homelab-runners-heal/socket",
        "DirectoryMode=0700",
        "Accept=yes",
        "MaxConnections=4",
    ] {
        assert!(socket.lines().any(|found| found == line), "{line}:\n{socket}");
    }
    let helper = text(&fleet, names::HEAL_SERVICE);
    for line in [
        "RestrictAddressFamilies=AF_UNIX",
        "PrivateNetwork=yes",
        "CapabilityBoundingSet=",
        "StandardInput=socket",
    ] {
        assert!(helper.lines().any(|found| found == line), "{line}:\n{helper}");
    }
    assert!(helper.contains("unit-step heal --count=4 --limit=1230\n"), "{helper}");
}

#[test]
fn the_monitors_credential_is_read_by_systemd_and_the_tokens_are_not_shown_to_it() {
    assert!(!text(&fleet(""), names::MONITOR_SERVICE).contains("LoadCredential=github:"));
    let tokens = text(&fleet("load_credential = true"), names::MONITOR_SERVICE);
    assert!(!tokens.contains(".env"), "{tokens}");
    let pat = text(
        &fleet("[github]\ncredential = \"pat\"\ncredential_file = \"/run/pat\""),
        names::MONITOR_SERVICE,
    );
    assert!(pat.contains("LoadCredential=github:/run/pat\n"), "{pat}");
    let encrypted = "[github]\ncredential = \"pat\"\ncredential_file = \"/etc/pat\"\nencrypted = true";
    let encrypted = text(&fleet(encrypted), names::MONITOR_SERVICE);
    assert!(encrypted.contains("LoadCredentialEncrypted=github:/etc/pat\n"), "{encrypted}");
}

#[test]
fn a_users_own_monitor_restarts_by_itself_and_asks_for_no_more_than_a_user_has() {
    let home = |name: &str| PathBuf::from("/home/al ice").join(name);
    let dirs = crate::fleet::UserDirs { config: home("config"), state: home("state"), runtime: home("run") };
    let mut fleet = fleet("");
    fleet.layout = Layout::user(&dirs);
    let files = render(&fleet, &programs("/usr/bin/podman"));
    assert!(
        !files.iter().any(|file| [names::HEAL_SOCKET, names::HEAL_SERVICE].contains(&file.name().as_str()))
    );
    let monitor = text(&fleet, names::MONITOR_SERVICE);
    let line =
        "=/usr/bin/runnerctl \"--config=/home/al ice/config/homelab-runners/config.toml\" --user monitor\n";
    assert!(monitor.contains(line), "{monitor}");
    for key in [
        "LoadCredential",
        "Bind",
        "DynamicUser",
        "StateDirectory",
        "ProtectHome",
        "CapabilityBoundingSet",
        "%d",
        "heal",
    ] {
        assert!(!monitor.contains(key), "{key}:\n{monitor}");
    }
}

#[test]
fn what_lies_in_a_home_is_shown_to_the_monitor_although_homes_are_hidden() {
    assert!(!text(&fleet(""), names::MONITOR_SERVICE).contains("BindReadOnlyPaths"));
    let monitor = text(
        &fleet("[paths]\nstate = \"/home/al ice/state\"\n[proxy]\nca_file = \"/root/ca.pem\""),
        names::MONITOR_SERVICE,
    );
    for line in ["BindReadOnlyPaths=\"-/home/al ice/state\"", "BindReadOnlyPaths=-/root/ca.pem"] {
        assert!(monitor.lines().any(|found| found == line), "{line}:\n{monitor}");
    }
}
