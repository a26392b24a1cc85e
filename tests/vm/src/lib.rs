//! Boots a real Debian guest in QEMU for the whole-system tests, the demo and the benchmarks.
//!
//! ```no_run
//! # fn main() -> Result<(), homelab_runners_vm::Error> {
//! use homelab_runners_vm::{BootOptions, Engine, Guest, RunnerPrograms};
//!
//! let guest = Guest::boot(&BootOptions::default())?;
//! guest.add_runner_image(&RunnerPrograms::placeholder(), Engine::Podman)?;
//! println!("{}", guest.ok("podman images")?);
//! # Ok(())
//! # }
//! ```
//!
//! Module index, in the order of use:
//!
//! * [`host`]: the programs this host must have.
//! * [`cache`]: where the prepared disk is kept, and under which key.
//! * [`disk`]: builds the disk and prepares it in a first boot.
//! * [`accelerator`]: KVM when it truly boots a kernel, emulation otherwise.
//! * [`qemu`]: the machine as a child process that never outlives this one.
//! * [`ssh`]: commands in the guest.
//! * [`guest`]: the booted guest, what tests hold.
//! * [`transfer`]: files into and out of the guest.
//! * [`runner_image`]: the stand-in for GitHub's runner image.
//! * [`simulator`]: the GitHub simulator in the guest and its admin API.
//! * [`product`]: what this workspace builds, put into the guest.
//!
//! What is deliberately absent: any knowledge of runners, units or scenarios. Those are the tests' own.

pub mod accelerator;
pub mod cache;
pub mod disk;
mod error;
pub mod guest;
pub mod host;
mod output;
pub mod polling;
pub mod product;
pub mod qemu;
pub mod runner_image;
pub mod simulator;
pub mod ssh;
pub mod transfer;

pub use error::{Error, Result};
pub use guest::{BootOptions, Guest};
pub use output::Output;
pub use polling::poll;
pub use runner_image::{Engine, RunnerPrograms};
pub use simulator::Simulator;
