//! What is remembered, through the code that the daemon remembers with.

mod killed;
mod versions;
