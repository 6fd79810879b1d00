//! `headroom profile VERB`: one file per verb.
//!
//! All but `use` and `reload` do without the daemon: they read and write the files, which it
//! watches.

mod copy;
mod delete;
mod edit;
mod export;
mod import;
mod list;
mod new;
mod path;
mod reload;
mod show;
mod use_;
mod validate;

use crate::args::{ProfileArgs, ProfileVerb};
use crate::failure::Failure;

pub(crate) fn run(args: &ProfileArgs) -> Result<(), Failure> {
    match &args.verb {
        ProfileVerb::List(args) => list::run(args),
        ProfileVerb::Use(args) => use_::run(args),
        ProfileVerb::Show(args) => show::run(args),
        ProfileVerb::Reload(args) => reload::run(args),
        ProfileVerb::Validate(args) => validate::run(args),
        ProfileVerb::Edit(args) => edit::run(args),
        ProfileVerb::New(args) => new::run(args),
        ProfileVerb::Copy(args) => copy::run(args),
        ProfileVerb::Delete(args) => delete::run(args),
        ProfileVerb::Import(args) => import::run(args),
        ProfileVerb::Export(args) => export::run(args),
        ProfileVerb::Path(args) => path::run(args),
    }
}
