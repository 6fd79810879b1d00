//! Every op of the protocol, once.

use super::{
    BypassSet, Call, Describe, DeviceList, DeviceSet, DeviceUnset, HelloCall, Ping, ProfileList,
    ProfileReload, ProfileShow, ProfileUse, PromoteSet, RouteList, RouteSet, RouteStream,
    RouteUnset, SettingClear, SettingGet, SettingList, SettingReset, SettingSet, SinkList, SinkUse,
    Snapshot, StatusCall, StreamList, Subscribe, Unsubscribe, WhyCall,
};

/// Calls a macro with the list of ops: the type of the arguments, and the name on the wire.
macro_rules! for_each_op {
    ($call:ident) => {
        $call! {
            HelloCall = "hello",
            Ping = "ping",
            Describe = "describe",
            StatusCall = "status",
            StreamList = "stream.list",
            SinkList = "sink.list",
            SinkUse = "sink.use",
            ProfileList = "profile.list",
            ProfileUse = "profile.use",
            ProfileShow = "profile.show",
            ProfileReload = "profile.reload",
            DeviceList = "device.list",
            DeviceSet = "device.set",
            DeviceUnset = "device.unset",
            RouteList = "route.list",
            RouteSet = "route.set",
            RouteUnset = "route.unset",
            RouteStream = "route.stream",
            WhyCall = "why",
            SettingGet = "setting.get",
            SettingList = "setting.list",
            SettingSet = "setting.set",
            SettingClear = "setting.clear",
            SettingReset = "setting.reset",
            BypassSet = "bypass.set",
            PromoteSet = "promote.set",
            Subscribe = "subscribe",
            Unsubscribe = "unsubscribe",
            Snapshot = "snapshot",
        }
    };
}

pub(crate) use for_each_op;

macro_rules! ops {
    ($( $variant:ident = $op:literal, )+) => {
        /// What is asked: one variant per op, holding its arguments.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Op {
            $( #[doc = concat!("`", $op, "`")] $variant($variant), )+
        }

        impl Op {
            /// The name of every op, in the order of IPC.md.
            pub const NAMES: &[&str] = &[ $( $op, )+ ];

            /// Its name on the wire.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $( Op::$variant(_) => $op, )+ }
            }
        }

        $( impl From<$variant> for Op {
            fn from(call: $variant) -> Op {
                Op::$variant(call)
            }
        } )+

        /// The names stand in two places, the list and the types; they agree.
        const _: () = {
            $( assert!(same(<$variant as Call>::OP, $op)); )+
        };
    };
}

for_each_op!(ops);

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut place = 0;
    while place < a.len() {
        if a[place] != b[place] {
            return false;
        }
        place += 1;
    }
    true
}
