//! What a Podman without root needs.

use super::hosts::{MISSING, debian_13, nixos, there, ubuntu_24_04};
use super::{assert_refused, not_ok, private, refusals, system, user};
use crate::doctor::{HostFacts, IdMapper, Program, SubordinateRange, UserNamespaces, examine};

#[test]
fn everything_that_a_private_socket_lacks_is_said_at_once_and_only_to_who_asks_for_one() {
    let facts = HostFacts {
        newuidmap: IdMapper::Missing,
        newgidmap: IdMapper::Powerless,
        pasta: MISSING,
        network_namespaces: Some(false),
        absent_account_programs: vec!["useradd", "userdel"],
        ..debian_13()
    };
    let hint = |mend: &str| format!("{mend}, or set socket = \"none\"");
    let expected = [
        ("socket = \"private\" needs newuidmap: not installed", hint("apt install uidmap")),
        (
            "socket = \"private\" needs newgidmap: installed with neither the setuid bit nor a file capability",
            hint("apt install --reinstall uidmap"),
        ),
        ("socket = \"private\" needs pasta: not installed", hint("apt install passt")),
        (
            "socket = \"private\" needs network namespaces: not in this kernel",
            hint("install a kernel with CONFIG_NET_NS"),
        ),
        ("socket = \"private\" needs accounts: not installed: useradd, userdel", hint("apt install passwd")),
    ];
    let expected: Vec<_> = expected.iter().map(|(cause, hint)| (*cause, hint.as_str())).collect();
    assert_refused(&facts, &private(""), &expected);
    assert_refused(&facts, &system(""), &[]);
    let with_docker = HostFacts { docker: there("Docker version 26.1.5+dfsg1, build a"), ..facts };
    assert_refused(&with_docker, &system("engine = \"docker\"\n"), &[]);
}

#[test]
fn podman_before_5_wants_slirp4netns_and_from_then_on_pasta() {
    let pasta = |podman: &str, slirp4netns: Program| HostFacts {
        podman: there(podman),
        pasta: MISSING,
        slirp4netns,
        ..debian_13()
    };
    let subjects = |facts: &HostFacts| {
        let findings = examine(facts, &private(""));
        let refused = findings.into_iter().filter(|finding| finding.breaks.is_some());
        refused.map(|finding| finding.subject).collect::<Vec<_>>()
    };
    assert_eq!(subjects(&pasta("podman version 4.9.3", MISSING)), ["slirp4netns"]);
    assert!(subjects(&pasta("podman version 4.9.3", there(""))).is_empty());
    assert_eq!(subjects(&pasta("podman version 5.4.2", MISSING)), ["pasta"]);
    // containers.conf may name the old one, so it is told and not refused.
    let with_both = pasta("podman version 5.4.2", there(""));
    assert!(subjects(&with_both).is_empty());
    assert!(
        not_ok(&with_both, &private("")).join("").starts_with("missing pasta: not installed; slirp4netns is")
    );
    // Its version is not known: either may be what it wants.
    assert!(not_ok(&pasta("", there("")), &private("")).join("\n").contains("warning pasta"));
    assert_eq!(subjects(&pasta("", MISSING)), ["pasta"]);
}

#[test]
fn each_way_to_forbid_user_namespaces_has_its_own_remedy() {
    let with = |user_namespaces| HostFacts { user_namespaces, ..debian_13() };
    let restricted = |lets_podman| ubuntu_24_04(lets_podman).user_namespaces;
    let allowed = UserNamespaces { most: Some(60_000), ..UserNamespaces::default() };
    for (found, remedy) in [
        (UserNamespaces { most: Some(0), ..allowed.clone() }, "user.max_user_namespaces=15000"),
        (UserNamespaces { clone: Some(0), ..allowed.clone() }, "kernel.unprivileged_userns_clone=1"),
        (restricted(Some(false)), "give podman a profile with `userns,`"),
        (UserNamespaces { tried: Some(false), ..allowed.clone() }, "dmesg"),
    ] {
        let refused = refusals(&with(found.clone()), &private(""));
        let [(cause, hint)] = refused.as_slice() else { unreachable_facts(&found) };
        assert!(cause.starts_with("socket = \"private\" needs user namespaces: "), "{cause}");
        assert!(hint.contains(remedy) && hint.ends_with(", or set socket = \"none\""), "{hint}");
    }
    for found in [allowed.clone(), restricted(Some(true)), restricted(None), UserNamespaces::default()] {
        assert_eq!(refusals(&with(found), &private("")), []);
    }
    // What was made can be made, whatever AppArmor's switch says.
    let made = UserNamespaces { tried: Some(true), ..restricted(Some(false)) };
    assert_eq!(not_ok(&with(made), &private("")), [""; 0]);
    let nixos = HostFacts { user_namespaces: UserNamespaces { most: Some(0), ..allowed }, ..nixos() };
    let hints = refusals(&nixos, &private(""));
    assert!(
        hints
            .iter()
            .any(|(_, hint)| hint.contains("boot.kernel.sysctl.\"user.max_user_namespaces\" = 15000;"))
    );
}

#[test]
fn a_users_own_fleet_needs_ids_of_that_user_and_gets_a_range_that_is_free() {
    let others = |count| {
        let other = SubordinateRange { owner: "bob".to_owned(), start: 165_536, count: 65_536 };
        let own = SubordinateRange { owner: "alice".to_owned(), start: 100_000, count };
        Some(vec![own, other])
    };
    let facts = HostFacts { subuid: others(10), subgid: others(65_536), ..debian_13() };
    assert_refused(
        &facts,
        &user(""),
        &[(
            "rootless Podman needs /etc/subuid: 10 ids for alice, and an image wants 65536",
            "sudo usermod --add-subuids 231072-296607 alice && podman system migrate, or run the fleet without --user",
        )],
    );
    // The system's fleet makes the accounts itself.
    assert_refused(&facts, &private(""), &[]);
    let none = HostFacts { subuid: Some(Vec::new()), subgid: Some(Vec::new()), ..nixos() };
    let hints = refusals(&none, &user(""));
    assert_eq!(hints.len(), 2);
    assert!(hints.iter().all(|(_, hint)| hint.starts_with("users.users.alice.autoSubUidGidRange = true;")));
}

#[test]
fn a_users_own_fleet_of_root_is_not_rootless_and_one_with_a_network_of_its_own_may_do_without_pasta() {
    let root = HostFacts { uid: 0, newuidmap: IdMapper::Missing, pasta: MISSING, ..debian_13() };
    assert_refused(&root, &user(""), &[]);
    let facts = HostFacts { pasta: MISSING, ..debian_13() };
    assert_eq!(refusals(&facts, &user("")).len(), 1);
    assert_eq!(not_ok(&facts, &user("network = \"host\"\n")), ["missing pasta: not installed"]);
    assert_refused(&facts, &user("network = \"host\"\n"), &[]);
    // What workflows start has the network of their own engine.
    assert_eq!(refusals(&facts, &private("network = \"host\"\n")).len(), 1);
}

#[expect(clippy::panic, reason = "tests")]
fn unreachable_facts(found: &UserNamespaces) -> ! {
    panic!("{found:?} should be refused once")
}
