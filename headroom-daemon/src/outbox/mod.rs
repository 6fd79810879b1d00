//! What lies between the state, which queues messages for a connection, and the connection, which
//! writes them: how many places the queue has, and who is to write.

mod doorbell;
mod places;

pub use doorbell::Doorbell;
pub use places::{METERS_IN_QUEUE, QUEUE, STATE_IN_QUEUE};
