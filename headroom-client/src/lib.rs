//! A blocking client of Headroom.

#![forbid(unsafe_code)]
