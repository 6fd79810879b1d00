//! One method per op, each a [`Client::call`] with its arguments spelt out. What an op does and
//! how it is refused stands at its type, and in IPC.md.

use headroom_ipc::*;

use crate::{Client, ClientError};

macro_rules! calls {
    ($( $(#[$doc:meta])* $name:ident($($arg:ident: $kind:ty),*) = $call:expr => $reply:ty; )+) => {
        impl Client {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// As for [`call`](Client::call).
                pub fn $name(&mut self $(, $arg: $kind)*) -> Result<$reply, ClientError> {
                    self.call(&$call)
                }
            )+
        }
    };
}

calls! {
    /// `hello`: says what to call this program in the daemon's log.
    hello(client: &str) = HelloCall { client: Some(client.to_owned()), protocol: Some(PROTOCOL) }
        => Hello;
    /// `ping`: asks for an answer and nothing else.
    ping() = Ping {} => Pong;
    /// `describe`: the ops, topics and error codes that this daemon has.
    describe() = Describe {} => Description;
    /// `status`: everything that a person asks first.
    status() = StatusCall {} => Status;
    /// `stream.list`: every app's playback.
    stream_list() = StreamList {} => Streams;
    /// `sink.list`: every sink, and where everything ends up.
    sink_list() = SinkList {} => Sinks;
    /// `sink.use`: has everything end up at this sink; without one, follows the user's default.
    sink_use(sink: Option<&str>) = SinkUse { sink: sink.map(str::to_owned) } => Device;
    /// `profile.list`: every profile, and the one in force.
    profile_list() = ProfileList {} => Profiles;
    /// `profile.use`: puts a profile in force.
    profile_use(name: &str) = ProfileUse { name: name.to_owned() } => Profile;
    /// `profile.show`: a profile with all that it says; the one in force where none is named.
    profile_show(name: Option<&str>) = ProfileShow { name: name.map(str::to_owned) }
        => ProfileDetail;
    /// `profile.reload`: reads the files of all profiles again.
    profile_reload() = ProfileReload {} => Reloaded;
    /// `device.list`: which profile is in force on which device.
    device_list() = DeviceList {} => Devices;
    /// `device.set`: gives devices a profile; without a match, every other device.
    device_set(matches: Option<DeviceMatch>, name: &str) = DeviceSet {
        matches,
        name: name.to_owned(),
    } => Devices;
    /// `device.unset`: takes back what was set for them.
    device_unset(matches: Option<DeviceMatch>) = DeviceUnset { matches } => Devices;
    /// `route.list`: the rules.
    route_list() = RouteList {} => Rules;
    /// `route.set`: makes or changes a rule of the user.
    route_set(matches: Match, route: Route) = RouteSet { matches, route } => Rule;
    /// `route.unset`: removes a rule of the user.
    route_unset(matches: Match) = RouteUnset { matches } => Rules;
    /// `route.stream`: pins a stream to a route; without one, the rules decide again.
    route_stream(stream: u64, route: Option<Route>) = RouteStream { stream, route } => Stream;
    /// `why` of a stream: what has decided where it goes, and what is done to it.
    why_stream(stream: u64) = WhyCall::Stream(stream) => Why;
    /// `why` of every stream of an app.
    why_app(name: &str) = WhyCall::App(name.to_owned()) => Why;
    /// `setting.get`: one setting.
    setting_get(key: &str) = SettingGet { key: key.to_owned() } => Setting;
    /// `setting.list`: all settings, or those of one section.
    setting_list(section: Option<&str>) = SettingList { section: section.map(str::to_owned) }
        => SettingValues;
    /// `setting.set`: overrides a setting.
    setting_set(key: &str, value: impl Into<SettingValue>) = SettingSet {
        key: key.to_owned(),
        amount: SettingAmount::Value(value.into()),
    } => Setting;
    /// `setting.set` with `by`: changes a number by a step, as far as it goes.
    setting_step(key: &str, by: f32) = SettingSet {
        key: key.to_owned(),
        amount: SettingAmount::By(by),
    } => Setting;
    /// `setting.clear`: takes an override back.
    setting_clear(key: &str) = SettingClear { key: key.to_owned() } => Setting;
    /// `setting.reset`: takes all overrides back, or those of one section.
    setting_reset(section: Option<&str>) = SettingReset { section: section.map(str::to_owned) }
        => SettingValues;
    /// `bypass.set`: lets the sound pass untouched, or no longer.
    bypass_set(bypass: BypassTo) = BypassSet { bypass } => Bypass;
    /// `promote.set`: makes the main bus the default sink, or gives the default back.
    promote_set(promote: PromoteTo) = PromoteSet { promote } => Device;
    /// `subscribe`: asks for the events of topics, which [`Client::next_event`] then gives.
    /// [`Subscription`](crate::Subscription) looks after itself.
    subscribe(topics: &[Topic]) = Subscribe {
        topics: topics.to_vec(),
        snapshot: true,
        max_hz: None,
    } => Subscribed;
    /// `unsubscribe`: asks for no more events of topics.
    unsubscribe(topics: &[Topic]) = Unsubscribe { topics: Some(topics.to_vec()) } => Unsubscribed;
    /// `snapshot`: the state of topics.
    snapshot(topics: &[Topic]) = Snapshot { topics: Some(topics.to_vec()) } => Mirror;
}
