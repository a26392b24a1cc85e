//! `make guest`: boots the guest with everything in it and keeps it until Enter is pressed, for trying things by hand.

use std::io::{self, BufRead};

use homelab_runners_vm::product::{Product, REPOSITORY};
use homelab_runners_vm::{BootOptions, Guest, Result};

fn main() -> Result<()> {
    let product = Product::built()?;
    let guest = Guest::boot(&BootOptions::default())?;
    product.install(&guest)?;
    eprintln!("the guest is ready; the simulator stands in for {REPOSITORY}");
    eprintln!("log in:  {}", guest.login());
    eprintln!("admin:   http://127.0.0.1:{}", guest.forwarded_port(8081)?);
    eprintln!("Enter ends it");
    if let Some(Err(error)) = io::stdin().lock().lines().next() {
        eprintln!("{error}");
    }
    Ok(())
}
