//! Counts the cycles of a graph and those that were not done in time: what `pw-top` shows as ERR, for
//! every PipeWire, where `pw-top` prints into a file only since 1.0.
//!
//! It runs in the surroundings of a private graph, as `cycle-counter`, and says every 100 ms
//! `N cycles, M missed in X xruns, done after U us`, and behind it which nodes had not done their work,
//! and how often. N, M and X since it was started, U of the cycle in the middle of those since it last
//! spoke.
//!
//! A cycle is missed when at its end a node that was called had not done its work: PipeWire 1.4 has
//! each node count these, and before it the state of the node tells. Missed cycles that follow each
//! other within 10 ms are one xrun, as they are one dropout to the ear: a timer that was late makes up
//! for it with cycles of a few microseconds, and of these every stage of a chain misses some. A cycle
//! is done when the device has what everyone has played.

#![allow(clippy::print_stdout, reason = "what it has to say is its log")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::mem;
use std::ptr;
use std::rc::Rc;
use std::time::Duration;

use pipewire as pw;
use pw::context::ContextRc;
use pw::main_loop::MainLoopRc;
use pw::spa::pod::deserialize::PodDeserializer;
use pw::spa::pod::{Object, Pod, Value};
use pw::spa::sys;

const PROFILER: &str = "PipeWire:Interface:Profiler";
const PROFILER_MODULE: &std::ffi::CStr = c"libpipewire-module-profiler";
const PROFILER_VERSION: u32 = 3;
const PERIOD: Duration = Duration::from_millis(100);
/// States of a node that was called in a cycle and had not done its work at the end of it.
const TRIGGERED: i32 = 1;
const AWAKE: i32 = 2;

/// Missed cycles that are no further apart are one xrun.
const ONE_XRUN_NS: i64 = 10_000_000;

/// What has been counted.
#[derive(Default)]
struct Census {
    cycles: u64,
    missed: u64,
    xruns: u64,
    /// When the cycle that was missed last was due.
    missed_ns: Option<i64>,
    /// How long each cycle took since it was last said.
    done_after_ns: Vec<i64>,
    /// How often each node had not done its work.
    culprits: BTreeMap<String, u64>,
    /// What each node had counted itself in the cycle before, by its number.
    counts: BTreeMap<i32, i32>,
}

/// A node in a cycle, as the profiler tells of it.
struct Block {
    id: i32,
    name: String,
    signal_ns: i64,
    awake_ns: i64,
    state: i32,
    /// How many xruns it has had. 0.3.65 does not know.
    xruns: Option<i32>,
}

impl Block {
    fn from_value(value: &Value) -> Option<Self> {
        let Value::Struct(fields) = value else { return None };
        let (
            Value::Int(id),
            Value::String(name),
            Value::Long(signal_ns),
            Value::Long(awake_ns),
            Value::Int(state),
        ) = (fields.first()?, fields.get(1)?, fields.get(3)?, fields.get(4)?, fields.get(6)?)
        else {
            return None;
        };
        let xruns = match fields.get(8) {
            Some(Value::Int(xruns)) => Some(*xruns),
            _ => None,
        };
        Some(Self {
            id: *id,
            name: name.clone(),
            signal_ns: *signal_ns,
            awake_ns: *awake_ns,
            state: *state,
            xruns,
        })
    }
}

impl Census {
    /// Counts one cycle of one driver.
    fn take(&mut self, cycle: &Object) {
        let (mut is_missed, mut due_ns) = (false, 0);
        for property in &cycle.properties {
            let is_driver = property.key == sys::SPA_PROFILER_driverBlock;
            if !is_driver && property.key != sys::SPA_PROFILER_followerBlock {
                continue;
            }
            let Some(block) = Block::from_value(&property.value) else { continue };
            is_missed |= self.has_failed(&block);
            if is_driver {
                due_ns = block.signal_ns;
            }
            // The driver is called last, when the others are done; before that its times are old.
            if is_driver && block.awake_ns >= block.signal_ns {
                self.done_after_ns.push(block.awake_ns - block.signal_ns);
            }
        }
        self.cycles += 1;
        if is_missed {
            self.missed += 1;
            let is_same = self.missed_ns.is_some_and(|last| due_ns - last <= ONE_XRUN_NS);
            self.xruns += u64::from(!is_same);
            self.missed_ns = Some(due_ns);
        }
    }

    /// Whether that node had not done its work in this cycle.
    fn has_failed(&mut self, block: &Block) -> bool {
        let failed = match block.xruns {
            Some(xruns) => self.counts.insert(block.id, xruns).is_some_and(|before| xruns > before),
            None => [TRIGGERED, AWAKE].contains(&block.state),
        };
        if failed {
            *self.culprits.entry(block.name.clone()).or_default() += 1;
        }
        failed
    }

    fn say(&mut self) {
        self.done_after_ns.sort_unstable();
        let done_after_us =
            self.done_after_ns.get(self.done_after_ns.len() / 2).unwrap_or(&0) / 1_000;
        self.done_after_ns.clear();
        let culprits: Vec<String> =
            self.culprits.iter().map(|(name, times)| format!("{name} {times}")).collect();
        let Self { cycles, missed, xruns, .. } = self;
        let culprits = culprits.join(", ");
        println!(
            "{cycles} cycles, {missed} missed in {xruns} xruns, done after {done_after_us} us; {culprits}"
        );
    }
}

unsafe extern "C" fn take_profile(census: *mut c_void, profile: *const sys::spa_pod) {
    // SAFETY: the census lives for as long as this program; PipeWire gives a pod that it has checked.
    let (census, pod) = unsafe { (&*census.cast::<RefCell<Census>>(), Pod::from_raw(profile)) };
    // One for each driver that has gone through a cycle, in a struct that is no struct: it has no end.
    let Ok((_, Value::Struct(cycles))) = PodDeserializer::deserialize_from::<Value>(pod.as_bytes())
    else {
        return;
    };
    let mut census = census.borrow_mut();
    for cycle in &cycles {
        if let Value::Object(cycle) = cycle {
            census.take(cycle);
        }
    }
}

static EVENTS: pw::sys::pw_profiler_events =
    pw::sys::pw_profiler_events { version: 0, profile: Some(take_profile) };

fn main() -> Result<(), pw::Error> {
    pw::init();
    let main_loop = MainLoopRc::new(None)?;
    let context = ContextRc::new(&main_loop, None)?;
    // SAFETY: the context lives for as long as this program. The module knows how profiles are sent.
    let module = unsafe {
        pw::sys::pw_context_load_module(
            context.as_raw_ptr(),
            PROFILER_MODULE.as_ptr(),
            ptr::null(),
            ptr::null_mut(),
        )
    };
    assert!(!module.is_null(), "PipeWire's profiler is not installed");
    let core = context.connect_rc(None)?;
    let registry = core.get_registry_rc()?;
    let census: &'static RefCell<Census> = Box::leak(Box::default());

    let of_global = registry.clone();
    let is_bound = Rc::new(RefCell::new(false));
    let _listener = registry
        .add_listener_local()
        .global(move |global| {
            if global.type_.to_str() != PROFILER || is_bound.replace(true) {
                return;
            }
            // SAFETY: the registry is alive; the hook and the census live as long as this program.
            unsafe {
                let profiler = bind(of_global.as_raw_ptr(), global.id);
                let hook: *mut sys::spa_hook = Box::leak(Box::new(mem::zeroed()));
                let methods = (*profiler.cast::<sys::spa_interface>()).cb;
                let funcs = methods.funcs.cast::<pw::sys::pw_profiler_methods>();
                let add_listener = (*funcs).add_listener.expect("profilers are listened to");
                let data = ptr::from_ref(census).cast_mut().cast::<c_void>();
                add_listener(methods.data, hook, &raw const EVENTS, data);
            }
        })
        .register();
    let timer = main_loop.loop_().add_timer(|_| census.borrow_mut().say());
    timer.update_timer(Some(PERIOD), Some(PERIOD));
    main_loop.run();
    Ok(())
}

/// Has PipeWire send what its profiler tells.
///
/// # Safety
/// `registry` is alive.
unsafe fn bind(registry: *mut pw::sys::pw_registry, profiler: u32) -> *mut c_void {
    // SAFETY: a registry is an interface with these methods.
    unsafe {
        let methods = (*registry.cast::<sys::spa_interface>()).cb;
        let funcs = methods.funcs.cast::<pw::sys::pw_registry_methods>();
        let bind = (*funcs).bind.expect("registries are bound from");
        let kind = std::ffi::CString::new(PROFILER).expect("no zero in it");
        let proxy = bind(methods.data, profiler, kind.as_ptr(), PROFILER_VERSION, 0);
        assert!(!proxy.is_null(), "PipeWire gives no profiler");
        proxy
    }
}
