//! The real programs on a real private PipeWire: each promise of the README as a listener would
//! notice it, on every generation of PipeWire that this machine can run.
//!
//! `HEADROOM_LONG=1` stretches what is measured over time to soaks.

#![allow(clippy::print_stdout, reason = "what was measured is shown beside the verdict")]

mod apps;
mod arriving;
mod by_hand;
mod changes;
mod choir;
mod control;
mod cost;
mod cycles;
mod damage;
mod defaults;
mod device_profiles;
mod devices;
mod doctor;
mod edits;
mod filters;
mod following;
mod hanging;
mod identity;
mod installing;
mod killed;
mod latency;
mod leaving;
mod loose;
mod loudness;
mod moves;
mod outages;
mod parting;
mod passed_over;
mod promoting;
mod reloading;
mod remembering;
mod restarts;
mod restoring;
mod routes;
mod setting;
mod sinks;
mod sliders;
mod soak;
mod surround;
mod traps;
mod typed;
mod unheard;
mod unit;
mod unwritable;
mod volume;
mod why;
mod wishes;
mod witness;
mod xruns;
