//! The promise of the audio thread, kept under watch: a counting allocator sees no allocation
//! and no free, and the kernel (seccomp, strict) would kill the process at the first system
//! call, while the chain processes, changes every parameter and goes through every rate.
//!
//! This binary has no test harness: it runs itself as the process that is watched.

#![allow(clippy::print_stdout, reason = "a test without a harness says its own result")]

use std::alloc::{GlobalAlloc, Layout as Memory, System};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};

use headroom_dsp::{
    Chain, ChainParams, Db, Detector, Layout, Link, MAX_CHANNELS, Makeup, Oversample, SoftParams,
};

struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, memory: Memory) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(memory) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, memory: Memory) {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(pointer, memory) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const WATCHED: &str = "HEADROOM_WATCHED";
const FRAMES: usize = 1_024;

fn main() -> ExitCode {
    if std::env::var_os(WATCHED).is_some() {
        watched();
    }
    let me = std::env::current_exe().expect("the path of this test");
    let output = Command::new(me).env(WATCHED, "1").output().expect("starting the watched process");
    let said = String::from_utf8_lossy(&output.stdout);
    let passed = output.status.success() && said.trim() == "allocations 0";
    println!("process() of the chain, every change of parameter and rate included:");
    println!("  {} (seccomp strict: {})", said.trim(), output.status);
    let (ok, failed) = if passed { (1, 0) } else { (0, 1) };
    println!("{ok} passed, {failed} failed");
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every parameter, changed in turn.
fn changes() -> Vec<ChainParams> {
    let base = ChainParams::default();
    let mut list = Vec::new();
    let mut with = |change: &dyn Fn(&mut ChainParams)| {
        let mut params = base;
        change(&mut params);
        list.push(params);
    };
    with(&|p| p.bus.agc.enabled = false);
    with(&|p| p.bus.agc.target.0 = -12.0);
    with(&|p| p.bus.agc.max_boost = Db(0.0));
    with(&|p| p.bus.compressor.enabled = false);
    with(&|p| p.bus.compressor.detector = Detector::Rms);
    with(&|p| p.bus.compressor.makeup = Makeup::Fixed(Db(3.0)));
    with(&|p| p.bus.fader = Db(-6.0));
    with(&|p| p.bus.bypass = true);
    with(&|p| p.master.bypass = true);
    with(&|p| p.master.limiter.enabled = false);
    with(&|p| p.master.limiter.ceiling = Db(-9.0));
    with(&|p| p.master.limiter.lookahead_ms = 10.0);
    with(&|p| p.master.limiter.lookahead_ms = 0.5);
    with(&|p| p.master.limiter.oversample = Oversample::X4);
    with(&|p| p.master.limiter.oversample = Oversample::X16);
    with(&|p| p.master.limiter.link = Link::DualMono);
    with(&|p| p.master.limiter.release_ms = 5_000.0);
    with(&|p| p.master.limiter.soft = Some(SoftParams::default()));
    list.push(base);
    list
}

/// Never returns: from the moment the kernel watches, only read, write and exit are allowed.
fn watched() -> ! {
    let mut chain = Chain::prepare(48_000, Layout::STEREO, FRAMES, &ChainParams::default())
        .expect("a valid chain");
    let changes = changes();
    let mut left = [0.0_f32; FRAMES];
    let mut right = [0.0_f32; FRAMES];
    let mut seed = 1_u32;
    // SAFETY: a plain system call; nothing else runs in this process.
    let watching = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_STRICT) };
    if watching != 0 {
        leave(b"seccomp is not to be had\n", 1);
    }
    let before = CALLS.load(Ordering::Relaxed);
    for rate_hz in [48_000, 44_100, 384_000, 8_000, 192_000] {
        chain.set_rate(rate_hz);
        for (index, params) in changes.iter().enumerate() {
            chain.set_params(params);
            for _ in 0..40 {
                for sample in left.iter_mut().chain(right.iter_mut()) {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    *sample = (seed >> 8) as f32 / 8_388_608.0 - 1.0;
                }
                if index == 3 {
                    left[7] = f32::NAN;
                }
                let mut block: [&mut [f32]; MAX_CHANNELS] = Default::default();
                block[0] = &mut left;
                block[1] = &mut right;
                chain.process(&mut block[..2]);
            }
            let _ = chain.take_meters();
        }
        chain.reset();
    }
    let calls = CALLS.load(Ordering::Relaxed) - before;
    if calls == 0 {
        leave(b"allocations 0\n", 0);
    }
    leave(b"the allocator was called\n", 1);
}

/// Says one line and ends the only thread, with the two system calls that strict seccomp
/// leaves.
fn leave(line: &[u8], code: i32) -> ! {
    // SAFETY: the line is valid for its length; `exit` ends this thread and so the process.
    unsafe {
        libc::write(1, line.as_ptr().cast(), line.len());
        libc::syscall(libc::SYS_exit, code);
    }
    unreachable!("exit does not return")
}
