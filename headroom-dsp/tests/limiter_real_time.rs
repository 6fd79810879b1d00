//! The limiter allocates and frees nothing once it is made: not while it works, not while its
//! settings, its rate or its signal change. (The whole chain is watched in `real_time.rs`.)

use std::alloc::{GlobalAlloc, Layout as Memory, System};
use std::cell::Cell;

use headroom_dsp::limiter::{Limiter, PeakDetector};
use headroom_dsp::{Db, Layout, LimiterParams, Link, Lufs, Oversample, SoftParams};

thread_local! {
    /// Calls of the allocator by this thread: others belong to the test harness.
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    CALLS.with(|calls| calls.set(calls.get() + 1));
}

// SAFETY: every call is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, memory: Memory) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(memory) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, memory: Memory) {
        count();
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(pointer, memory) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const FRAMES: usize = 700;

fn changes() -> Vec<LimiterParams> {
    let base = LimiterParams::default();
    let mut list = Vec::new();
    for oversample in [Oversample::X4, Oversample::X8, Oversample::X16] {
        for link in [Link::Stereo, Link::DualMono] {
            for (lookahead_ms, hold_ms) in [(0.5, 0.0), (10.0, 1_000.0), (2.0, 5.0)] {
                for soft in [None, Some(SoftParams::default())] {
                    let ceiling = Db(-lookahead_ms);
                    list.push(LimiterParams {
                        ceiling,
                        oversample,
                        link,
                        lookahead_ms,
                        hold_ms,
                        soft,
                        ..base
                    });
                }
            }
        }
    }
    list.push(LimiterParams { enabled: false, ..base });
    list.push(LimiterParams { release_ms: f32::NAN, ceiling: Db(f32::INFINITY), ..base });
    list
}

#[test]
fn nothing_is_allocated_or_freed_once_the_limiter_is_made() {
    let layout = Layout::SURROUND_7_1;
    let mut limiter =
        Limiter::prepare(48_000, layout, FRAMES, LimiterParams::default()).expect("a limiter");
    let mut detector = PeakDetector::prepare(layout.len(), Oversample::X16);
    let changes = changes();
    let noise: Vec<f32> = (0..FRAMES as u32)
        .map(|n| (n.wrapping_mul(2_654_435_769) as i32) as f32 / i32::MAX as f32 * 4.0)
        .collect();
    let mut planes = vec![vec![0.0; FRAMES]; layout.len()];
    let mut block: Vec<&mut [f32]> = planes.iter_mut().map(|plane| &mut plane[..]).collect();

    let before = CALLS.with(Cell::get);
    assert!(before > 0, "the allocator is not being watched");
    for rate_hz in [48_000, 384_000, 8_000, 44_100] {
        limiter.set_rate(rate_hz);
        for (round, params) in changes.iter().enumerate() {
            limiter.set_params(params);
            for quiet in [1.0, 1e-3, 0.0] {
                for plane in &mut block {
                    for (sample, noise) in plane.iter_mut().zip(&noise) {
                        *sample = noise * quiet;
                    }
                }
                limiter.process(&mut block, Lufs(-20.0));
                for (channel, plane) in block.iter().enumerate() {
                    detector.process(channel, plane, 0.0);
                }
            }
            limiter.take_reduction();
            if round % 16 == 15 {
                limiter.reset();
                detector.reset();
            }
        }
    }
    let calls = CALLS.with(Cell::get) - before;
    assert_eq!(calls, 0, "{calls} calls of the allocator in process");
}
