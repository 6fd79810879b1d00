//! The services of a graph: started, ended, frozen and measured.

use std::collections::BTreeMap;
use std::sync::MutexGuard;
use std::time::Duration;

use super::Graph;
use crate::condition::{Deadline, let_pass};
use crate::process::{Process, Thread, Usage};
use crate::service::Service;

/// In how many slices of time a slow start is begun, how long each is, and the wait behind it.
const SLICES: usize = 250;
const SLICE: Duration = Duration::from_millis(1);
const BETWEEN_SLICES: Duration = Duration::from_millis(5);

impl Graph {
    /// Starts a service and waits until it is up.
    pub fn start_service(&self, service: Service) {
        self.launch(service);
        self.wait_until_up(service);
    }

    /// Starts a service as a machine does that has hardly any time for it, and all time for the
    /// others, and waits until it is up. `behind` is called behind each of its slices of time, with
    /// their number from 1.
    pub fn start_service_slowly(&self, service: Service, mut behind: impl FnMut(usize)) {
        self.launch(service);
        for slice in 1..=SLICES {
            let_pass(SLICE);
            self.freeze_service(service);
            behind(slice);
            let_pass(BETWEEN_SLICES);
            self.thaw_service(service);
        }
        self.wait_until_up(service);
    }

    fn wait_until_up(&self, service: Service) {
        if service != Service::WirePlumber {
            return;
        }
        let names = self.device_names();
        self.wait_for("WirePlumber to come up", |dump| {
            let policy = dump.metadata.contains_key("default");
            let chosen = names.is_empty() || dump.default_sink().is_some();
            // A device has its ports once WirePlumber has set it up.
            let set_up = names.iter().all(|name| dump.ports_of(name, "in").count() > 0);
            (policy && chosen && set_up).then_some(())
        });
    }

    fn launch(&self, service: Service) {
        let program = self.site.program(service.program());
        let arguments = service.arguments(self.directory());
        let process = self.site.start(service.program(), &program, &arguments);
        self.services().insert(service, process);
        let what = format!("{} to come up", service.program());
        self.site.wait_until(&what, || service.answers(self.directory()).then_some(()));
        if service == Service::PipeWire {
            self.wait_for_devices();
        }
    }

    /// Whether a service has ended by itself.
    pub fn has_died(&self, service: Service) -> bool {
        self.services().get_mut(&service).is_some_and(|process| process.ended().is_some())
    }

    /// Ends a service with SIGTERM.
    pub fn stop_service(&self, service: Service) {
        let stopped = self.take_service(service).stop(Deadline::generous());
        assert!(stopped.is_some(), "{} ignored SIGTERM\n{}", service.program(), self.report());
    }

    /// Ends a service with SIGKILL.
    pub fn kill_service(&self, service: Service) {
        self.take_service(service).kill();
    }

    /// Ends a service with SIGTERM and starts it again.
    pub fn restart_service(&self, service: Service) {
        self.stop_service(service);
        self.start_service(service);
    }

    /// Stops a service from running, as a debugger does; it stays there and answers nobody.
    pub fn freeze_service(&self, service: Service) {
        self.signal_service(service, libc::SIGSTOP);
    }

    /// Lets a frozen service run again.
    pub fn thaw_service(&self, service: Service) {
        self.signal_service(service, libc::SIGCONT);
    }

    fn signal_service(&self, service: Service, signal: i32) {
        let mut services = self.services();
        services.get_mut(&service).expect("the service runs").signal(signal);
    }

    /// What a service has used so far.
    pub fn service_usage(&self, service: Service) -> Usage {
        let services = self.services();
        let process = services.get(&service).expect("the service runs");
        process.usage().unwrap_or_else(|error| panic!("{}: {error}", service.program()))
    }

    /// The threads of a service.
    pub fn service_threads(&self, service: Service) -> Vec<Thread> {
        let services = self.services();
        let process = services.get(&service).expect("the service runs");
        process.threads().unwrap_or_else(|error| panic!("{}: {error}", service.program()))
    }

    fn take_service(&self, service: Service) -> Process {
        let process = self.services().remove(&service);
        process.unwrap_or_else(|| panic!("{} does not run", service.program()))
    }

    fn services(&self) -> MutexGuard<'_, BTreeMap<Service, Process>> {
        self.services.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
