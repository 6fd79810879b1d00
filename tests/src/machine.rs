//! What the host takes away from a virtual machine: while its cores are lent to others, nobody plays in
//! time, with Headroom or without.

/// Beyond this part of its cores a machine cannot play in time; a quiet one has lost half a percent.
const MOST_STOLEN: f64 = 0.02;
/// Behind `cpu` in `/proc/stat`: eight columns of time, the last of them stolen.
const COLUMNS: usize = 8;

/// A stretch of time on this machine.
#[derive(Debug)]
pub struct Stretch {
    ticks: u64,
    stolen: u64,
}

impl Stretch {
    /// It begins now.
    pub fn begin() -> Self {
        let (ticks, stolen) = cores(&std::fs::read_to_string("/proc/stat").unwrap_or_default());
        Self { ticks, stolen }
    }

    /// The part of the cores that the host has taken away since, if that is more than sound can bear.
    pub fn was_stolen(&self) -> Option<f64> {
        let now = Self::begin();
        let ticks = now.ticks.saturating_sub(self.ticks).max(1);
        let part = now.stolen.saturating_sub(self.stolen) as f64 / ticks as f64;
        (part > MOST_STOLEN).then_some(part)
    }
}

/// All ticks of all cores, and those that were stolen.
fn cores(stat: &str) -> (u64, u64) {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "));
    let columns = line.unwrap_or_default().split_whitespace().map_while(|word| word.parse().ok());
    let columns: Vec<u64> = columns.take(COLUMNS).collect();
    let stolen = columns.get(COLUMNS - 1).copied().unwrap_or_default();
    (columns.iter().sum(), stolen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_has_taken_is_the_eighth_column_of_all_cores() {
        let stat = "cpu  100 0 50 800 10 0 5 35 7 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
        assert_eq!(cores(stat), (1_000, 35));
        assert_eq!(cores("intr 5"), (0, 0));
        assert_eq!(Stretch::begin().was_stolen().filter(|part| *part > 1.0), None);
    }
}
