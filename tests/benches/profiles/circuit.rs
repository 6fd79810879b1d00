//! An order of visits in which everyone follows everyone else once.

/// A round trip through `count` places in which every place follows every other exactly once:
/// `count * (count - 1)` steps, from place 0 back to it. Each entry is where a step leads.
pub(crate) fn through_every_pair(count: usize) -> Vec<usize> {
    // Hierholzer: as many ways lead into each place as out of it, so this never ends elsewhere.
    let mut next: Vec<Vec<usize>> =
        (0..count).map(|from| (0..count).filter(|to| *to != from).collect()).collect();
    let (mut way, mut circuit) = (vec![0], Vec::new());
    while let Some(place) = way.last() {
        match next[*place].pop() {
            Some(to) => way.push(to),
            None => circuit.extend(way.pop()),
        }
    }
    circuit.reverse();
    assert_eq!(circuit.len(), count * count.saturating_sub(1) + 1, "one way was left out");
    circuit.split_off(1)
}
