//! The edge to browsers: the report server. It reads, and answers nothing but GET and HEAD.

mod connections;
mod origin;
mod shelf;
mod site;

pub use connections::serve;
pub use site::site;
