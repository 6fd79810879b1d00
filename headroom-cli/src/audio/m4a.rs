//! What an M4A file says of its encoder's delay and padding.
//!
//! The decoder behind [`Source`](super::Source) does not follow edit lists, so the trimming of
//! M4A is found here: from the edit list (ISO/IEC 14496-12, 8.6.6) and, where that is silent,
//! from the comment that iTunes leaves. Every length is checked against what is there; a file
//! that makes no sense is simply not trimmed.

use std::io::{self, Read, Seek, SeekFrom};

/// The frames of a track that are sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trim {
    /// How many come before, from the encoder's delay.
    pub(crate) skip_frames: u64,
    /// How many there are after that, where the file says so.
    pub(crate) frames: Option<u64>,
}

/// A table of sample times takes a few megabytes for a day of sound.
const MAX_MOOV_BYTES: u64 = 256 << 20;

/// What the outermost atoms of a file say.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// Where the last atom ends by what it says itself: behind the file's end, where that was
    /// cut off.
    pub(crate) told_bytes: u64,
    moov: Option<Vec<u8>>,
}

impl Outline {
    /// The trimming of the first sound track.
    pub(crate) fn trim(&self, rate_hz: u32) -> Option<Trim> {
        trim_of(self.moov.as_ref()?, rate_hz)
    }
}

/// Reads the outline of an M4A file; `None` where this is none. Leaves the reader anywhere.
pub(crate) fn read_outline(file: &mut (impl Read + Seek)) -> io::Result<Option<Outline>> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut outline = Outline::default();
    let mut at = 0;
    while at + 8 <= end {
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 16];
        let head_len = if end - at >= 16 { 16 } else { 8 };
        file.read_exact(&mut head[..head_len])?;
        let mut atoms = Atoms { bytes: &head[..head_len] };
        let first = at == 0;
        let Some((kind, size, head_bytes)) = atoms.head(end - at) else {
            return Ok((!first).then_some(outline));
        };
        if first && kind != *b"ftyp" {
            return Ok(None);
        }
        let body_bytes = size - head_bytes;
        if kind == *b"moov" && body_bytes <= MAX_MOOV_BYTES {
            file.seek(SeekFrom::Start(at + head_bytes))?;
            let mut body = Vec::new();
            file.by_ref().take(body_bytes).read_to_end(&mut body)?;
            outline.moov = Some(body);
        }
        at = at.saturating_add(size);
        outline.told_bytes = at;
    }
    Ok((at > 0).then_some(outline))
}

/// The atoms that follow one another in these bytes.
struct Atoms<'b> {
    bytes: &'b [u8],
}

impl Atoms<'_> {
    /// Kind, whole size and size of the head of the first atom; `rest` is what may be left.
    fn head(&mut self, rest: u64) -> Option<([u8; 4], u64, u64)> {
        let short = u64::from(be_u32(self.bytes, 0)?);
        let kind = self.bytes.get(4..8)?.try_into().ok()?;
        let (size, head_bytes) = match short {
            0 => (rest, 8),
            1 => (be_u64(self.bytes, 8)?, 16),
            _ => (short, 8),
        };
        (size >= head_bytes).then_some((kind, size, head_bytes))
    }
}

impl<'b> Iterator for Atoms<'b> {
    type Item = ([u8; 4], &'b [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, size, head_bytes) = self.head(self.bytes.len() as u64)?;
        let size = usize::try_from(size).ok()?;
        let body = self.bytes.get(head_bytes as usize..size)?;
        self.bytes = &self.bytes[size..];
        Some((kind, body))
    }
}

fn child<'b>(bytes: &'b [u8], path: &[&[u8; 4]]) -> Option<&'b [u8]> {
    path.iter().try_fold(bytes, |bytes, wanted| {
        Atoms { bytes }.find(|(kind, _)| kind == *wanted).map(|(_, body)| body)
    })
}

fn be_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn be_u64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

fn trim_of(moov: &[u8], rate_hz: u32) -> Option<Trim> {
    let movie_scale = timescale(child(moov, &[b"mvhd"])?)?;
    let track = Atoms { bytes: moov }.filter(|(kind, _)| kind == b"trak").map(|(_, body)| body);
    let track = track.into_iter().find(|track| is_sound(track))?;
    let media_scale = timescale(child(track, &[b"mdia", b"mdhd"])?)?;
    let media_total = child(track, &[b"mdia", b"minf", b"stbl", b"stts"]).and_then(total_time)?;
    let to_frames = |time: u64| {
        u64::try_from(u128::from(time) * u128::from(rate_hz) / u128::from(media_scale)).ok()
    };
    if let Some(edit) = child(track, &[b"edts", b"elst"]).and_then(first_edit) {
        let to_the_end = media_total.checked_sub(edit.media_time)?;
        let tick = media_scale.div_ceil(movie_scale);
        let lasts = edit.duration.saturating_mul(media_scale) / movie_scale;
        // The edit's length is told in the movie's coarse clock, often milliseconds: when it
        // ends where the media does, the media knows better.
        let lasts = if lasts == 0 || lasts + tick >= to_the_end { to_the_end } else { lasts };
        if edit.media_time > 0 || lasts < media_total {
            return Some(Trim {
                skip_frames: to_frames(edit.media_time)?,
                frames: Some(to_frames(lasts)?),
            });
        }
    }
    itunes_trim(moov).or(Some(Trim { skip_frames: 0, frames: to_frames(media_total) }))
}

fn is_sound(track: &[u8]) -> bool {
    child(track, &[b"mdia", b"hdlr"]).and_then(|hdlr| hdlr.get(8..12)) == Some(b"soun")
}

/// The clock of an `mvhd` or `mdhd`, in ticks a second.
fn timescale(header: &[u8]) -> Option<u64> {
    let at = if *header.first()? == 1 { 20 } else { 12 };
    be_u32(header, at).map(u64::from).filter(|scale| *scale > 0)
}

/// How long all samples of a track last together, from its table of times.
fn total_time(stts: &[u8]) -> Option<u64> {
    let entries = usize::try_from(be_u32(stts, 4)?).ok()?;
    stts.get(8..)?.chunks_exact(8).take(entries).try_fold(0_u64, |total, entry| {
        let (count, each) = (be_u32(entry, 0)?, be_u32(entry, 4)?);
        total.checked_add(u64::from(count) * u64::from(each))
    })
}

struct Edit {
    /// In the movie's clock.
    duration: u64,
    /// In the track's clock.
    media_time: u64,
}

/// The first edit that plays something (an empty one before it only waits).
fn first_edit(elst: &[u8]) -> Option<Edit> {
    let wide = *elst.first()? == 1;
    let entries = usize::try_from(be_u32(elst, 4)?).ok()?;
    let entry_bytes = if wide { 20 } else { 12 };
    elst.get(8..)?.chunks_exact(entry_bytes).take(entries).find_map(|entry| {
        let (duration, media_time) = if wide {
            (be_u64(entry, 0)?, be_u64(entry, 8)? as i64)
        } else {
            (u64::from(be_u32(entry, 0)?), i64::from(be_u32(entry, 4)? as i32))
        };
        Some(Edit { duration, media_time: u64::try_from(media_time).ok()? })
    })
}

/// The `iTunSMPB` comment: hexadecimal words, of which the second is the delay, the third the
/// padding and the fourth the length in frames.
fn itunes_trim(moov: &[u8]) -> Option<Trim> {
    let meta = child(moov, &[b"udta", b"meta"])?.get(4..)?;
    let comments = child(meta, &[b"ilst"])?;
    let free_form = Atoms { bytes: comments }.filter(|(kind, _)| kind == b"----");
    let texts = free_form.filter_map(|(_, body)| {
        let name = child(body, &[b"name"])?.get(4..)?;
        (name == b"iTunSMPB").then(|| child(body, &[b"data"])?.get(8..))?
    });
    let text = texts.into_iter().next()?;
    let words: Vec<u64> = std::str::from_utf8(text)
        .ok()?
        .split_ascii_whitespace()
        .take(4)
        .map(|word| u64::from_str_radix(word, 16))
        .collect::<Result<_, _>>()
        .ok()?;
    match words.as_slice() {
        [_, delay, _, frames] if *frames > 0 => {
            Some(Trim { skip_frames: *delay, frames: Some(*frames) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let mut bytes = (body.len() as u32 + 8).to_be_bytes().to_vec();
        bytes.extend(kind);
        bytes.extend(body);
        bytes
    }

    fn words(list: &[u32]) -> Vec<u8> {
        list.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    /// 48 whole packets and one of 512, at 48 kHz; the movie's clock in milliseconds.
    fn moov(edit: Option<&[u32]>, comment: Option<&str>) -> Vec<u8> {
        let stts = atom(b"stts", &words(&[0, 2, 48, 1_024, 1, 512]));
        let stbl = atom(b"minf", &atom(b"stbl", &stts));
        let mdhd = atom(b"mdhd", &words(&[0, 0, 0, 48_000, 0]));
        let hdlr = atom(b"hdlr", &[&words(&[0, 0])[..], b"soun"].concat());
        let mut trak = atom(b"mdia", &[mdhd, hdlr, stbl].concat());
        if let Some(edit) = edit {
            trak.extend(atom(b"edts", &atom(b"elst", &words(edit))));
        }
        let mut moov = atom(b"mvhd", &words(&[0, 0, 0, 1_000, 0]));
        moov.extend(atom(b"trak", &trak));
        if let Some(text) = comment {
            let name = atom(b"name", &[&[0; 4], &b"iTunSMPB"[..]].concat());
            let data = atom(b"data", &[&[0; 8], text.as_bytes()].concat());
            let ilst = atom(b"ilst", &atom(b"----", &[name, data].concat()));
            moov.extend(atom(b"udta", &atom(b"meta", &[vec![0; 4], ilst].concat())));
        }
        moov
    }

    const MEDIA_FRAMES: u64 = 48 * 1_024 + 512;

    #[test]
    fn an_edit_to_the_end_is_as_long_as_the_media_and_not_as_its_milliseconds() {
        let milliseconds = ((MEDIA_FRAMES - 1_024) * 1_000).div_ceil(48_000) as u32;
        let trim = trim_of(&moov(Some(&[0, 1, milliseconds, 1_024, 0x1_0000]), None), 48_000);
        let frames = Some(MEDIA_FRAMES - 1_024);
        assert_eq!(trim, Some(Trim { skip_frames: 1_024, frames }));
    }

    #[test]
    fn an_edit_that_ends_early_trims_the_end() {
        let trim = trim_of(&moov(Some(&[0, 1, 500, 1_024, 0x1_0000]), None), 48_000);
        assert_eq!(trim, Some(Trim { skip_frames: 1_024, frames: Some(24_000) }));
    }

    #[test]
    fn an_empty_edit_is_passed_over() {
        let list = [0, 2, 100, u32::MAX, 0x1_0000, 500, 1_024, 0x1_0000];
        let trim = trim_of(&moov(Some(&list), None), 48_000);
        assert_eq!(trim, Some(Trim { skip_frames: 1_024, frames: Some(24_000) }));
    }

    #[test]
    fn without_an_edit_the_comment_counts() {
        let comment = " 00000000 00000840 000001CA 000000000000B000 00000000 00000000";
        let trim = trim_of(&moov(None, Some(comment)), 48_000);
        assert_eq!(trim, Some(Trim { skip_frames: 2_112, frames: Some(45_056) }));
        let nothing_said = Some(Trim { skip_frames: 0, frames: Some(MEDIA_FRAMES) });
        assert_eq!(trim_of(&moov(None, Some("nonsense")), 48_000), nothing_said);
    }

    #[test]
    fn what_is_cut_off_or_lies_is_no_panic() {
        let whole = moov(Some(&[0, 1, 500, 1_024, 0x1_0000]), Some(" 0 840 1CA B000"));
        for cut in 0..whole.len() {
            let _ = trim_of(&whole[..cut], 48_000);
            let mut lies = whole.clone();
            lies[cut] = 0xFF;
            let _ = trim_of(&lies, 48_000);
        }
    }
}
