//! The edge to browsers: the report server. It reads, and answers nothing but GET and HEAD.

mod connections;
mod once;
mod origin;
mod shelf;
mod site;
mod tls;
mod visitors;
mod workers;

pub use connections::Server;
pub use origin::Scheme;
pub use site::site;
pub use tls::{Tls, TlsError};
