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
    let extra = &args.folders.profile_dir;
    match &args.verb {
        ProfileVerb::List(args) => list::run(args, extra),
        ProfileVerb::Use(args) => use_::run(args),
        ProfileVerb::Show(args) => show::run(args, extra),
        ProfileVerb::Reload(args) => reload::run(args),
        ProfileVerb::Validate(args) => validate::run(args, extra),
        ProfileVerb::Edit(args) => edit::run(args, extra),
        ProfileVerb::New(args) => new::run(args, extra),
        ProfileVerb::Copy(args) => copy::run(args, extra),
        ProfileVerb::Delete(args) => delete::run(args, extra),
        ProfileVerb::Import(args) => import::run(args, extra),
        ProfileVerb::Export(args) => export::run(args, extra),
        ProfileVerb::Path(args) => path::run(args, extra),
    }
}
