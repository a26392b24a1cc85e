//! The edge to browsers: the report server and the monitor's pages. It reads, and answers nothing but GET and HEAD.

mod connections;
mod health;
mod once;
mod origin;
mod shelf;
mod site;
mod tls;
mod visitors;
mod workers;

pub use connections::Server;
pub use health::health_site;
pub use origin::Scheme;
pub use site::site;
pub use tls::{Tls, TlsError};
