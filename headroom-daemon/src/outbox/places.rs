//! How many messages wait for a connection, and who gets which of the places.

/// Messages that wait for one connection. What does not fit is dropped and counted.
pub const QUEUE: usize = 64;

/// Places that events of state may fill. One is always left for the reply to the request that
/// is being done; a reader takes its next request only once there is one.
pub const STATE_IN_QUEUE: usize = QUEUE - 1;

/// Places that meters may fill: they give way first, as the next tick says it all again.
pub const METERS_IN_QUEUE: usize = 47;
