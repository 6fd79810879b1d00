//! Sound in files: decoded to planar `f32` on the way in, encoded from it on the way out.
//!
//! The offline commands read a [`Source`] block by block and write a [`Sink`]; nothing here
//! knows of loudness, profiles or terminals.

mod block;
mod channels;
mod depth;
mod error;
mod flac;
mod m4a;
mod ogg;
mod output_file;
mod samples;
mod sink;
mod sound_file;
mod source;
mod wav;

pub(crate) use block::{BLOCK_FRAMES, Block};
pub(crate) use channels::ChannelMap;
pub(crate) use depth::Depth;
pub(crate) use error::{ReadError, WriteError};
pub(crate) use output_file::OutputFile;
pub(crate) use sink::{Container, Sink, SinkSpec};
pub(crate) use source::{Damage, Source};
