//! The protocol as a whole: frozen messages, schemas, mirrors, any bytes, and IPC.md.

mod fuzz;
mod golden;
mod mirror;
mod schema;
mod specimens;
