//! The scripts that run inside a runner container, run here for real around a stub of GitHub's runner programs.

mod container;
mod disk;
mod engine;
mod fingerprint;
mod health;
mod hooks;
mod identity;
mod listener_exit;
mod registration;
mod secrets;
mod stopping;
mod user;
