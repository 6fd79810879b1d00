//! One file per verb: what it means, step by step. Each takes what was typed and gives back
//! nothing, or why not.

pub(crate) mod adjust;
pub(crate) mod analyze;
pub(crate) mod bridge;
pub(crate) mod bypass;
pub(crate) mod call;
pub(crate) mod daemon;
pub(crate) mod device;
pub(crate) mod doctor;
pub(crate) mod get;
pub(crate) mod profile;
pub(crate) mod promote;
pub(crate) mod render;
pub(crate) mod route;
pub(crate) mod set;
pub(crate) mod settings;
pub(crate) mod sink;
pub(crate) mod status;
pub(crate) mod unset;
pub(crate) mod watch;
pub(crate) mod why;
