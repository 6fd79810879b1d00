//! Whether an Ogg file has the mark of its end (RFC 3533, 6: header type flag 0x04).
//!
//! The decoder takes the last page that it finds for the end, so a file that was cut off
//! between two pages would pass for a shorter one.

use std::io::{self, Read, Seek, SeekFrom};

/// The longest page there can be: its head, 255 segments, and 255 bytes in each.
const LONGEST_PAGE_BYTES: u64 = 27 + 255 + 255 * 255;
const END_OF_STREAM: u8 = 0x04;

/// Whether the last page of the file ends its stream; also true where this is no Ogg file.
/// Leaves the reader anywhere.
pub(crate) fn has_its_end(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let mut magic = [0; 4];
    file.seek(SeekFrom::Start(0))?;
    if file.read(&mut magic)? < 4 || magic != *b"OggS" {
        return Ok(true);
    }
    let end = file.seek(SeekFrom::End(0))?;
    // Two pages: a whole one, wherever the tail begins, and room for what players append.
    file.seek(SeekFrom::Start(end.saturating_sub(2 * LONGEST_PAGE_BYTES)))?;
    let mut tail = Vec::new();
    file.take(2 * LONGEST_PAGE_BYTES).read_to_end(&mut tail)?;
    Ok(last_page_ends(&tail))
}

fn last_page_ends(tail: &[u8]) -> bool {
    const HEAD_BYTES: usize = 27;
    let heads = tail.windows(HEAD_BYTES).enumerate().rev();
    for (at, head) in heads.filter(|(_, head)| head.starts_with(b"OggS\0")) {
        let segments = usize::from(head[HEAD_BYTES - 1]);
        let Some(table) = tail.get(at + HEAD_BYTES..at + HEAD_BYTES + segments) else { continue };
        let body: usize = table.iter().map(|&bytes| usize::from(bytes)).sum();
        let whole = at + HEAD_BYTES + segments + body <= tail.len();
        return whole && head[5] & END_OF_STREAM != 0;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(flags: u8, body: &[u8]) -> Vec<u8> {
        let mut page = b"OggS\0".to_vec();
        page.push(flags);
        page.extend([0; 20]);
        page.extend([1, body.len() as u8]);
        page.extend(body);
        page
    }

    #[test]
    fn the_last_page_must_be_whole_and_marked() {
        let file = [page(2, b"head"), page(0, b"sound"), page(4, b"the end")].concat();
        assert!(last_page_ends(&file));
        assert!(!last_page_ends(&file[..file.len() - 1]));
        assert!(!last_page_ends(&[page(2, b"head"), page(0, b"sound")].concat()));
        assert!(last_page_ends(&[&file[..], b"TAG appended by a player"].concat()));
    }
}
