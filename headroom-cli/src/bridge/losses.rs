//! What a bridge could not carry: counted by topic, and told as the daemon tells its own.
//!
//! Delivered and told lost are together what the daemon has published: its own `overflow` is
//! merged with what was lost here, so that `total_lost` counts both.

use std::collections::BTreeMap;

use headroom_client::ipc::Value;

use super::notice::map;

#[derive(Debug, Default)]
pub(super) struct Losses {
    topics: BTreeMap<String, Loss>,
    daemon_seq: u64,
}

#[derive(Debug, Default)]
struct Loss {
    /// Not told yet: lost here, or told by the daemon while nothing could be carried.
    untold: u64,
    /// Lost here, all in all.
    here: u64,
    /// Lost by the daemon, all in all, as it said last.
    there: u64,
}

impl Losses {
    /// Sees an event before it is carried. An `overflow` of the daemon is taken out of it: it is
    /// told by `next`, with what was lost here.
    pub(super) fn absorbs(&mut self, event: &Value) -> bool {
        let is = |name: &str, word: &str| event.field(name).and_then(Value::as_text) == Some(word);
        if is("topic", "daemon")
            && let Some(Value::Unsigned(seq)) = event.field("seq")
        {
            self.daemon_seq = self.daemon_seq.max(*seq);
        }
        if !(is("topic", "daemon") && is("event", "overflow")) {
            return false;
        }
        let Some(data) = event.field("data") else { return false };
        let number = |name: &str| match data.field(name) {
            Some(Value::Unsigned(number)) => *number,
            _ => 0,
        };
        let Some(topic) = data.field("topic").and_then(Value::as_text) else { return false };
        let loss = self.topics.entry(topic.to_owned()).or_default();
        loss.untold = loss.untold.saturating_add(number("lost"));
        loss.there = number("total_lost");
        true
    }

    /// This event could not be carried.
    pub(super) fn lose(&mut self, event: &Value) {
        let topic = event.field("topic").and_then(Value::as_text).unwrap_or_default();
        let loss = self.topics.entry(topic.to_owned()).or_default();
        loss.untold = loss.untold.saturating_add(1);
        loss.here = loss.here.saturating_add(1);
    }

    /// The next notice to be carried, and the topic to be settled once it was.
    pub(super) fn next(&self) -> Option<(String, Value)> {
        let (topic, loss) = self.topics.iter().find(|(_, loss)| loss.untold > 0)?;
        let data = map([
            ("topic", topic.as_str().into()),
            ("lost", loss.untold.into()),
            ("total_lost", loss.here.saturating_add(loss.there).into()),
        ]);
        let notice = map([
            ("topic", "daemon".into()),
            ("event", "overflow".into()),
            ("seq", self.daemon_seq.into()),
            ("data", data),
        ]);
        Some((topic.clone(), notice))
    }

    /// The notice about this topic was carried.
    pub(super) fn is_told(&mut self, topic: &str) {
        if let Some(loss) = self.topics.get_mut(topic) {
            loss.untold = 0;
        }
    }

    /// Another connection: the daemon counts anew.
    pub(super) fn begin_anew(&mut self) {
        for loss in self.topics.values_mut() {
            loss.there = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_is_lost_here_and_there_is_told_once_and_counted_together() {
        let mut losses = Losses::default();
        let tick = value(r#"{"topic":"meters","event":"tick","seq":4,"data":{}}"#);
        let changed = value(r#"{"topic":"daemon","event":"changed","seq":7,"data":{}}"#);
        assert!(!losses.absorbs(&tick) && !losses.absorbs(&changed));
        assert_eq!(losses.next(), None);
        losses.lose(&tick);
        losses.lose(&tick);
        let there = r#"{"topic":"daemon","event":"overflow","seq":7,
            "data":{"topic":"meters","lost":5,"total_lost":9}}"#;
        assert!(losses.absorbs(&value(there)));
        let (topic, notice) = losses.next().unwrap();
        let told = r#"{"topic":"daemon","event":"overflow","seq":7,
            "data":{"topic":"meters","lost":7,"total_lost":11}}"#;
        assert_eq!((topic.as_str(), notice), ("meters", value(told)));
        losses.is_told("meters");
        assert_eq!(losses.next(), None);
        losses.lose(&tick);
        let data = losses.next().unwrap().1;
        let data = data.field("data").unwrap();
        assert_eq!(data.field("lost"), Some(&Value::Unsigned(1)));
        assert_eq!(data.field("total_lost"), Some(&Value::Unsigned(12)));
    }
}
