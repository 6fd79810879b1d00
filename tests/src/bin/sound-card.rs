//! A sound card with two jacks, made of nothing: what PipeWire's own driver of sound cards exports,
//! a device with routes and a sink that belongs to it, without the card.
//!
//! It runs in the surroundings of a private graph, as `sound-card NODE_NAME`, and says
//! `device ID` once it is there. A jack is chosen as mixers and WirePlumber do it, by setting its
//! Route. What is set there is kept and told, as of a real card; no sound comes out of it.

#![allow(clippy::print_stdout, reason = "what it has to say is its log")]

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::io::Cursor;
use std::ptr;
use std::rc::Rc;

use pipewire as pw;
use pw::context::ContextRc;
use pw::main_loop::MainLoopRc;
use pw::node::Node;
use pw::properties::{PropertiesBox, properties};
use pw::spa::pod::deserialize::PodDeserializer;
use pw::spa::pod::serialize::PodSerializer;
use pw::spa::pod::{Object, Pod, Property, Value, ValueArray};
use pw::spa::sys;
use pw::spa::utils::Id;
use pw::types::ObjectType;

const CARD: &str = "sound-card";
/// `card.profile.device` of its only sink.
const DEVICE: i32 = 0;
const AVAILABLE: u32 = sys::SPA_PARAM_AVAILABILITY_yes;
const KINDS: [u32; 2] = [sys::SPA_PARAM_EnumRoute, sys::SPA_PARAM_Route];

/// The jacks: name, what people call it, and its kind.
const JACKS: [[&str; 3]; 2] = [
    ["analog-output-speaker", "Speakers", "speaker"],
    ["analog-output-headphones", "Headphones", "headphones"],
];

/// The card, as C sees it: the first field is what a `struct spa_device` is.
#[repr(C)]
struct Card {
    device: sys::spa_device,
    hooks: sys::spa_hook_list,
    properties: PropertiesBox,
    state: RefCell<State>,
}

struct State {
    /// Who listens: PipeWire's export of the device, and nobody else.
    listener: Option<(*const sys::spa_device_events, *mut c_void)>,
    params: [sys::spa_param_info; 2],
    active: usize,
    volumes: Vec<f32>,
    muted: bool,
}

static METHODS: sys::spa_device_methods = sys::spa_device_methods {
    version: sys::SPA_VERSION_DEVICE_METHODS,
    add_listener: Some(add_listener),
    sync: Some(sync),
    enum_params: Some(enum_params),
    set_param: Some(set_param),
};

impl Card {
    /// The card at an address that it keeps for as long as this program lives.
    fn new() -> &'static mut Card {
        let param = |id| sys::spa_param_info {
            id,
            flags: if id == sys::SPA_PARAM_Route {
                sys::SPA_PARAM_INFO_READWRITE
            } else {
                sys::SPA_PARAM_INFO_READ
            },
            user: 0,
            seq: 0,
            padding: [0; 4],
        };
        let none = sys::spa_callbacks { funcs: ptr::null(), data: ptr::null_mut() };
        let link = sys::spa_list { next: ptr::null_mut(), prev: ptr::null_mut() };
        let card = Box::leak(Box::new(Card {
            device: sys::spa_device {
                iface: sys::spa_interface {
                    type_: sys::SPA_TYPE_INTERFACE_Device.as_ptr().cast(),
                    version: sys::SPA_VERSION_DEVICE,
                    cb: none,
                },
            },
            hooks: sys::spa_hook_list { list: link },
            properties: properties! {
                "device.name" => CARD,
                "device.description" => "A card of nothing",
                "media.class" => "Audio/Device",
            },
            state: RefCell::new(State {
                listener: None,
                params: KINDS.map(param),
                active: 0,
                volumes: vec![1.0, 1.0],
                muted: false,
            }),
        }));
        card.device.iface.cb = sys::spa_callbacks {
            funcs: ptr::from_ref(&METHODS).cast(),
            data: ptr::from_mut(card).cast(),
        };
        // SAFETY: the list is at the address that it keeps.
        unsafe { sys::spa_hook_list_init(&raw mut card.hooks) };
        card
    }

    /// Tells the listener what the card is, or that one of its parameters has changed.
    fn tell(&self, change_mask: u32) {
        // A copy, so that the listener may ask back at once.
        let (listener, mut params) = {
            let state = self.state.borrow();
            (state.listener, state.params)
        };
        let Some((events, data)) = listener else { return };
        let info = sys::spa_device_info {
            version: sys::SPA_VERSION_DEVICE_INFO,
            change_mask: change_mask.into(),
            flags: 0,
            props: self.properties.dict().as_raw_ptr(),
            params: params.as_mut_ptr(),
            n_params: KINDS.len() as u32,
        };
        // SAFETY: PipeWire keeps both pointers alive while it listens, and copies what it is told.
        unsafe {
            if let Some(of_info) = (*events).info {
                of_info(data, &raw const info);
            }
        }
    }

    fn answer(&self, seq: c_int, type_: u32, result: *const c_void) {
        let listener = self.state.borrow().listener;
        let Some((events, data)) = listener else { return };
        // SAFETY: as above; `result` is what belongs to the type.
        unsafe {
            if let Some(of_result) = (*events).result {
                of_result(data, seq, 0, type_, result);
            }
        }
    }
}

impl State {
    /// The routes that a parameter of that kind has: all of them, or the active one.
    fn routes(&self, kind: u32) -> Vec<usize> {
        match kind {
            sys::SPA_PARAM_EnumRoute => (0..JACKS.len()).collect(),
            sys::SPA_PARAM_Route => vec![self.active],
            _ => Vec::new(),
        }
    }

    fn route(&self, kind: u32, jack: usize) -> Vec<u8> {
        let text = |text: &str| Value::String(text.to_owned());
        let [name, description, port_type] = JACKS[jack];
        let mut properties = vec![
            Property::new(sys::SPA_PARAM_ROUTE_index, Value::Int(jack as i32)),
            Property::new(sys::SPA_PARAM_ROUTE_direction, Value::Id(Id(sys::SPA_DIRECTION_OUTPUT))),
            Property::new(sys::SPA_PARAM_ROUTE_name, text(name)),
            Property::new(sys::SPA_PARAM_ROUTE_description, text(description)),
            Property::new(sys::SPA_PARAM_ROUTE_priority, Value::Int(100 - jack as i32)),
            Property::new(sys::SPA_PARAM_ROUTE_available, Value::Id(Id(AVAILABLE))),
            Property::new(
                sys::SPA_PARAM_ROUTE_info,
                Value::Struct(vec![Value::Int(1), text("port.type"), text(port_type)]),
            ),
        ];
        let devices = Value::ValueArray(ValueArray::Int(vec![DEVICE]));
        properties.push(Property::new(sys::SPA_PARAM_ROUTE_devices, devices));
        if kind == sys::SPA_PARAM_Route {
            let props = Object {
                type_: sys::SPA_TYPE_OBJECT_Props,
                id: sys::SPA_PARAM_Route,
                properties: vec![
                    Property::new(sys::SPA_PROP_mute, Value::Bool(self.muted)),
                    Property::new(
                        sys::SPA_PROP_channelVolumes,
                        Value::ValueArray(ValueArray::Float(self.volumes.clone())),
                    ),
                ],
            };
            properties.push(Property::new(sys::SPA_PARAM_ROUTE_device, Value::Int(DEVICE)));
            properties.push(Property::new(sys::SPA_PARAM_ROUTE_props, Value::Object(props)));
        }
        let object = Object { type_: sys::SPA_TYPE_OBJECT_ParamRoute, id: kind, properties };
        let bytes = PodSerializer::serialize(Cursor::new(Vec::new()), &Value::Object(object));
        bytes.expect("a route fits in memory").0.into_inner()
    }

    /// Takes over what was set; whether that is a route of this card.
    fn set(&mut self, route: &Object) -> bool {
        let value = |object: &Object, key| {
            let found = object.properties.iter().find(|property| property.key == key);
            found.map(|property| property.value.clone())
        };
        let Some(Value::Int(index)) = value(route, sys::SPA_PARAM_ROUTE_index) else {
            return false;
        };
        let Some(jack) = usize::try_from(index).ok().filter(|jack| *jack < JACKS.len()) else {
            return false;
        };
        self.active = jack;
        if let Some(Value::Object(props)) = value(route, sys::SPA_PARAM_ROUTE_props) {
            if let Some(Value::ValueArray(ValueArray::Float(volumes))) =
                value(&props, sys::SPA_PROP_channelVolumes)
            {
                self.volumes = volumes;
            }
            if let Some(Value::Bool(muted)) = value(&props, sys::SPA_PROP_mute) {
                self.muted = muted;
            }
        }
        // Who listens asks again when this bit turns.
        self.params[1].flags ^= sys::SPA_PARAM_INFO_SERIAL;
        println!("{} at {:?}, muted: {}", JACKS[jack][0], self.volumes, self.muted);
        true
    }
}

/// The card that PipeWire means.
///
/// # Safety
/// `object` is the card that was exported.
unsafe fn card<'c>(object: *mut c_void) -> &'c Card {
    // SAFETY: it was leaked, and only this thread knows it.
    unsafe { &*object.cast::<Card>() }
}

unsafe extern "C" fn add_listener(
    object: *mut c_void,
    hook: *mut sys::spa_hook,
    events: *const sys::spa_device_events,
    data: *mut c_void,
) -> c_int {
    // SAFETY: PipeWire gives back the card, and a hook that lives until it takes it out of the list.
    let card = unsafe {
        let hooks = &raw mut (*object.cast::<Card>()).hooks;
        sys::spa_hook_list_append(hooks, hook, events.cast(), data);
        card(object)
    };
    card.state.borrow_mut().listener = Some((events, data));
    card.tell(sys::SPA_DEVICE_CHANGE_MASK_PROPS | sys::SPA_DEVICE_CHANGE_MASK_PARAMS);
    0
}

unsafe extern "C" fn sync(object: *mut c_void, seq: c_int) -> c_int {
    // SAFETY: PipeWire gives back the card.
    unsafe { card(object) }.answer(seq, 0, ptr::null());
    0
}

unsafe extern "C" fn enum_params(
    object: *mut c_void,
    seq: c_int,
    id: u32,
    index: u32,
    max: u32,
    _filter: *const sys::spa_pod,
) -> c_int {
    // SAFETY: PipeWire gives back the card.
    let card = unsafe { card(object) };
    let routes: Vec<Vec<u8>> = {
        let state = card.state.borrow();
        state.routes(id).into_iter().map(|jack| state.route(id, jack)).collect()
    };
    let asked = routes.iter().zip(0..).skip(index as usize).take(max as usize);
    for (bytes, number) in asked {
        let pod = Pod::from_bytes(bytes).expect("what was made is a pod");
        let result = sys::spa_result_device_params {
            id,
            index: number,
            next: number + 1,
            param: pod.as_raw_ptr(),
        };
        card.answer(seq, sys::SPA_RESULT_TYPE_DEVICE_PARAMS, ptr::from_ref(&result).cast());
    }
    0
}

unsafe extern "C" fn set_param(
    object: *mut c_void,
    id: u32,
    _flags: u32,
    param: *const sys::spa_pod,
) -> c_int {
    if id != sys::SPA_PARAM_Route || param.is_null() {
        return -libc::EINVAL;
    }
    // SAFETY: PipeWire gives back the card, and a pod that it has checked.
    let (card, pod) = unsafe { (card(object), Pod::from_raw(param)) };
    let is_set = match PodDeserializer::deserialize_from::<Value>(pod.as_bytes()) {
        Ok((_, Value::Object(route))) => card.state.borrow_mut().set(&route),
        _ => false,
    };
    if !is_set {
        return -libc::EINVAL;
    }
    card.tell(sys::SPA_DEVICE_CHANGE_MASK_PARAMS);
    0
}

fn main() -> Result<(), pw::Error> {
    let node_name = std::env::args().nth(1).expect("usage: sound-card NODE_NAME");
    pw::init();
    let main_loop = MainLoopRc::new(None)?;
    let context = ContextRc::new(&main_loop, None)?;
    let core = context.connect_rc(None)?;
    let registry = core.get_registry_rc()?;

    let card = Card::new();
    let object = ptr::from_mut(&mut *card).cast::<c_void>();
    // SAFETY: the card lives for as long as this program, and is what its first field says.
    let exported = unsafe {
        pw::sys::pw_core_export(
            core.as_raw_ptr(),
            sys::SPA_TYPE_INTERFACE_Device.as_ptr().cast(),
            (*object.cast::<Card>()).properties.dict().as_raw_ptr(),
            object,
            0,
        )
    };
    assert!(!exported.is_null(), "PipeWire does not let us export a device");

    // The sink belongs to the device, so it comes when the device has a number.
    let sink: Rc<RefCell<Option<Node>>> = Rc::default();
    let of_global = core.clone();
    let _listener = registry
        .add_listener_local()
        .global(move |global| {
            let is_card = global.type_ == ObjectType::Device
                && global.props.and_then(|props| props.get("device.name")) == Some(CARD);
            if !is_card || sink.borrow().is_some() {
                return;
            }
            let device = global.id.to_string();
            let properties = properties! {
                "factory.name" => "support.null-audio-sink",
                "node.name" => node_name.as_str(),
                "node.description" => node_name.as_str(),
                "media.class" => "Audio/Sink",
                "audio.position" => "[ FL FR ]",
                "priority.session" => "5000",
                "priority.driver" => "5000",
                "monitor.channel-volumes" => "true",
                "device.id" => device.as_str(),
                "card.profile.device" => DEVICE.to_string(),
            };
            let made = of_global.create_object::<Node>("adapter", &properties);
            *sink.borrow_mut() = Some(made.expect("PipeWire makes null sinks"));
            println!("device {device}");
        })
        .register();
    main_loop.run();
    Ok(())
}
