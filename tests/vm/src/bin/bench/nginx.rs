//! The peer that serves files: nginx as the host has it, as plain as it can be.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use homelab_runners_vm::{Error, Result, poll};

use crate::http_client::Connection;

/// A worker for each processor, sendfile, no log; ended when it is dropped.
pub(crate) struct Nginx {
    child: Child,
    pub(crate) address: String,
    pub(crate) version: String,
}

impl Nginx {
    /// Shows `directory` below `/r/`, with its own files in `place`. `None` where there is no nginx.
    pub(crate) fn start(directory: &Path, place: &Path) -> Result<Option<Self>> {
        let Some(nginx) = Self::launch(directory, place)? else { return Ok(None) };
        poll("nginx", Duration::from_secs(10), || {
            Ok(Connection::to(&nginx.address).map(drop).map_err(|error| error.to_string()))
        })?;
        Ok(Some(nginx))
    }

    /// The same, not yet listening.
    pub(crate) fn launch(directory: &Path, place: &Path) -> Result<Option<Self>> {
        let failed = |source| Error::Start { program: "nginx".to_owned(), source };
        let Some(version) = version() else { return Ok(None) };
        // The port is free again when nginx takes it, unless somebody else is faster.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).map_err(failed)?;
        let config = place.join("nginx.conf");
        fs::write(&config, text(directory, place, &free.to_string())).map_err(failed)?;
        let mut command = Command::new("nginx");
        command.arg("-c").arg(&config).arg("-p").arg(place).env("PATH", path());
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().map_err(failed)?;
        Ok(Some(Self { child, address: free.to_string(), version }))
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // SIGTERM: killed, the master would leave its workers behind.
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            drop(self.child.kill());
        }
        drop(self.child.wait());
    }
}

fn text(directory: &Path, place: &Path, address: &str) -> String {
    let (directory, place) = (directory.display(), place.display());
    format!(
        "daemon off; worker_processes auto; pid {place}/nginx.pid; error_log {place}/error.log; user root;\n\
         events {{ worker_connections 1024; }}\n\
         http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; default_type application/octet-stream;\n\
         client_body_temp_path {place}/a; proxy_temp_path {place}/b; fastcgi_temp_path {place}/c; uwsgi_temp_path {place}/d; \
         scgi_temp_path {place}/e;\n\
         server {{ listen {address}; location /r/ {{ alias {directory}/; }} }} }}\n"
    )
}

fn version() -> Option<String> {
    let output = Command::new("nginx").arg("-v").env("PATH", path()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.trim().rsplit_once('/').map(|(_, version)| format!("nginx {version}"))
}

/// Debian has it in sbin, which is not in everybody's path.
fn path() -> String {
    format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default())
}
