//! The protocol as a whole: frozen messages, schemas, mirrors, any bytes, and IPC.md.

mod examples;
mod fuzz;
mod golden;
mod mirror;
mod objects;
mod schema;
mod specimens;
mod tables;
