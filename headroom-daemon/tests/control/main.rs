//! The control plane as a client meets it: the real server in this process, over real sockets,
//! with a queue in place of the graph.

mod basics;
mod daemon;
mod devices;
mod limits;
mod peer;
mod profiles;
mod remembering;
mod routing;
mod settings;
mod splits;
mod topics;
mod watching;
mod why;
