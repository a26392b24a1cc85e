//! What the reader is told when systemd says no.

use crate::fake_systemd::{FakeSystemd, Refusal, Script};

use super::start;

/// What the reader is told when the start of `a.service` is refused.
async fn refused_with(refusal: Refusal) -> (String, String) {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.unit("a.service", Script::Refused(refusal));
    let error = start(&systemd, "a.service").await.into_result().unwrap_err();
    assert!(std::error::Error::source(&error).is_some());
    (error.to_string(), error.hint().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_masked_unit_carries_the_unmask_hint() {
    let (message, hint) = refused_with(Refusal::MASKED).await;

    assert_eq!(message, "cannot start a.service: Unit a.service is masked");
    assert_eq!(hint, "`systemctl unmask a.service` lifts it");
}

#[tokio::test(start_paused = true)]
async fn access_denied_carries_the_sudo_hint() {
    let (message, hint) = refused_with(Refusal::ACCESS_DENIED).await;
    assert_eq!(message, "cannot start a.service: access denied (Access denied)");
    assert_eq!(hint, "run it as root or with sudo");

    let (message, hint) = refused_with(Refusal::INTERACTIVE).await;
    assert_eq!(message, "cannot start a.service: access denied (Interactive authentication required)");
    assert_eq!(hint, "run it as root or with sudo");
}

#[tokio::test(start_paused = true)]
async fn a_bad_unit_file_carries_the_verify_hint() {
    let (message, hint) = refused_with(Refusal::BAD_UNIT_SETTING).await;

    assert_eq!(message, "cannot start a.service: Unit a.service has a bad unit file setting");
    assert_eq!(hint, "see `systemd-analyze verify a.service` and `journalctl -b -u a.service`");
}

#[tokio::test(start_paused = true)]
async fn a_missing_unit_carries_the_daemon_reload_hint() {
    let (message, hint) = refused_with(Refusal::NO_SUCH_UNIT).await;

    assert_eq!(message, "cannot start a.service: Unit a.service not found");
    assert!(hint.ends_with("after a new file, `systemctl daemon-reload`"), "{hint}");
}

#[tokio::test(start_paused = true)]
async fn any_other_refusal_keeps_the_name_of_the_error() {
    let name = "org.freedesktop.systemd1.TransactionIsDestructive";
    let (message, _) =
        refused_with(Refusal { name, text: "Transaction for a.service is destructive." }).await;

    assert_eq!(message, format!("cannot start a.service: Transaction for a.service is destructive ({name})"));
}

#[tokio::test(start_paused = true)]
async fn a_generated_unit_is_not_enabled_and_the_hint_says_where_it_is() {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.unit("a.service", Script::DONE);
    fake.properties("a.service", |unit| "generated".clone_into(&mut unit.unit_file_state));

    let error = systemd.enable(&["a.service"]).await.unwrap_err();

    assert_eq!(error.to_string(), "cannot enable a.service: Unit a.service is transient or generated");
    assert!(error.hint().unwrap().contains("[Install] section of its source"));
}

#[tokio::test(start_paused = true)]
async fn a_reload_without_the_right_says_so() {
    let (fake, systemd) = FakeSystemd::start().await;
    fake.refuse_all(Refusal::INTERACTIVE);

    let error = systemd.reload().await.unwrap_err();

    assert_eq!(
        error.to_string(),
        "cannot reload the unit files: access denied (Interactive authentication required)"
    );
    assert_eq!(error.hint().unwrap(), "run it as root or with sudo");
}
