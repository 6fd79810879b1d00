//! The offline tools' engine: files through the very chain of the daemon, or through its
//! meters alone.
//!
//! Decoding, processing and encoding run on threads of their own, joined by bounded queues of
//! blocks that go round and are never allocated anew, so a file of any length takes the same
//! memory. Nothing here prints.

mod analysis;
mod measures;
mod queue;
mod render;
mod timeline;

pub(crate) use analysis::{Analysis, AnalyzeError, analyze};
pub(crate) use measures::{Gains, Measures};
pub(crate) use render::{RenderError, RenderJob, Rendered, render};
pub(crate) use timeline::{Point, Timeline};
