//! Integration tests.

mod fake_systemd;
mod systemd_edge;
