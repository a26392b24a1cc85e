//! What a runner's unit itself calls on the host, before and after its container starts; and what the report server's and the monitor's do.
//!
//! Everything these steps need stands on their command line in the unit, so a unit works as it was rendered, whatever
//! happened to the config since. Only how this host speaks to GitHub is read from the config: it may change without a restart.

mod await_online;
mod await_workflow_job;
mod clear;
mod engine;
mod heal;
mod jit;
mod listener;
mod note_image;
mod prepare;
mod prepare_reports;
mod process;
mod renew;
mod token;

pub use await_online::{AwaitError, await_container, await_online};
pub use await_workflow_job::{AwaitWorkflowJob, StopNews, await_workflow_job};
pub use clear::{Unshare, clear};
pub use engine::{AttachEngine, AttachError, attach, release};
pub use heal::{answer, asked, heal};
pub use jit::{EndNoted, Jit, NotMade, Renew, Renewed, delete_in_background, end_registration};
pub use note_image::{NoteImageError, note_image};
pub use prepare::{OwnNetwork, Prepare, PrepareError, prepare};
pub use prepare_reports::{prepare_reports, prepare_server_root};
pub use renew::{Wanted, renew};
pub use token::{Mint, TokenOrigin, TokenProblem, TokensFile};
