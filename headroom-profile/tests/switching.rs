//! Every key is live: profiles and single settings are switched while a low tone plays through
//! the whole chain, and nothing is heard above the tone. Prints what it measures.

#![allow(clippy::print_stdout, reason = "tests print what they measure, also through functions")]

use headroom_dsp::{Chain, ChainParams, Layout};
use headroom_profile::{Kind, Profile, SETTINGS, Value, embedded, load};
use headroom_signals::filter::steep_high_pass;
use headroom_signals::judge::level;
use headroom_signals::{Random, tone};

const RATES_HZ: [u32; 4] = [44_100, 48_000, 96_000, 192_000];
const TONE_HZ: f64 = 100.0;
const TONE_DBFS: f64 = -12.0;
/// No 5 ms and no sample that is left above 2 kHz may be louder ...
const MOST_RMS_DBFS: f64 = -70.0;
const MOST_SAMPLE_DBFS: f64 = -60.0;
/// ... or else by no more than this over what the settings themselves make of the tone.
const OVER_STEADY_DB: f64 = 3.0;
/// Not a whole number of periods of the tone, so that switches meet every phase.
const APART_S: f64 = 0.2537;
/// So long nothing is judged: the filter's own answer to the start of the tone.
const SKIP_S: f64 = 0.1;
const BLOCK_FRAMES: usize = 1_024;

/// The loudest 5 ms and the largest sample above 2 kHz.
#[derive(Clone, Copy)]
struct Heard {
    rms_dbfs: f64,
    sample_dbfs: f64,
}

impl Heard {
    fn of(above: &[f32], rate_hz: u32) -> Heard {
        Heard {
            rms_dbfs: level::windows_db(above, rate_hz, 0.005).into_iter().fold(-200.0, f64::max),
            sample_dbfs: level::sample_peak_db(above).max(-200.0),
        }
    }

    fn louder(self, other: Heard) -> Heard {
        Heard {
            rms_dbfs: self.rms_dbfs.max(other.rms_dbfs),
            sample_dbfs: self.sample_dbfs.max(other.sample_dbfs),
        }
    }

    fn is_within(self, steady: Heard) -> bool {
        self.rms_dbfs <= MOST_RMS_DBFS.max(steady.rms_dbfs + OVER_STEADY_DB)
            && self.sample_dbfs <= MOST_SAMPLE_DBFS.max(steady.sample_dbfs + OVER_STEADY_DB)
    }
}

/// The first channel of the tone behind the chain, while `change` is asked at every block.
fn play(
    rate_hz: u32,
    seconds: f64,
    first: &ChainParams,
    mut change: impl FnMut(f64) -> Option<ChainParams>,
) -> Vec<f32> {
    let mut planes = tone::sine(rate_hz, 2, seconds, TONE_HZ, TONE_DBFS).channels;
    let mut chain = Chain::prepare(rate_hz, Layout::STEREO, BLOCK_FRAMES, first).expect("a chain");
    let mut at = 0;
    while at < planes[0].len() {
        if let Some(params) = change(at as f64 / f64::from(rate_hz)) {
            chain.set_params(&params);
        }
        let end = (at + BLOCK_FRAMES / 4).min(planes[0].len());
        let mut block: Vec<&mut [f32]> =
            planes.iter_mut().map(|plane| &mut plane[at..end]).collect();
        chain.process(&mut block);
        at = end;
    }
    planes.swap_remove(0)
}

/// What the settings themselves make of the tone, once they have settled on it.
fn steady(rate_hz: u32, params: &ChainParams) -> Heard {
    const SECONDS: f64 = 6.0;
    let above = steep_high_pass(&play(rate_hz, SECONDS, params, |_| None), rate_hz, 2_000.0);
    Heard::of(&above[above.len() * 3 / 4..], rate_hz)
}

/// Plays the list, one after the other, and judges each stretch by its settings and those
/// before it. Gives what was heard at worst where the settings leave the tone clean.
fn judge(rate_hz: u32, list: &[(String, ChainParams)]) -> Heard {
    let steady: Vec<Heard> = list.iter().map(|(_, params)| steady(rate_hz, params)).collect();
    let mut next = 1;
    let mut switches = vec![0.0];
    let seconds = APART_S * list.len() as f64 + 0.5;
    let heard = play(rate_hz, seconds, &list[0].1, |at_s| {
        let due = next < list.len() && at_s >= APART_S * next as f64;
        due.then(|| {
            switches.push(at_s);
            next += 1;
            list[next - 1].1
        })
    });
    assert_eq!(switches.len(), list.len(), "every switch was made");
    let above = steep_high_pass(&heard, rate_hz, 2_000.0);
    let frame = |s: f64| ((s * f64::from(rate_hz)) as usize).min(above.len());
    let mut worst = Heard { rms_dbfs: -200.0, sample_dbfs: -200.0 };
    let mut clicks = Vec::new();
    for (index, from_s) in switches.iter().enumerate() {
        let to_s = switches.get(index + 1).copied().unwrap_or(seconds);
        let from_s = if index == 0 { SKIP_S } else { *from_s };
        let heard = Heard::of(&above[frame(from_s)..frame(to_s)], rate_hz);
        let before = steady[index.saturating_sub(1)];
        if !heard.is_within(steady[index].louder(before)) {
            clicks.push(format!(
                "from {} to {}: 5 ms of {:.1} dBFS and a sample of {:.1} dBFS",
                list[index.saturating_sub(1)].0,
                list[index].0,
                heard.rms_dbfs,
                heard.sample_dbfs,
            ));
        }
        if steady[index].rms_dbfs < MOST_RMS_DBFS && before.rms_dbfs < MOST_RMS_DBFS {
            worst = worst.louder(heard);
        }
    }
    assert!(clicks.is_empty(), "above 2 kHz at {rate_hz} Hz:\n{}", clicks.join("\n"));
    worst
}

fn shipped(name: &str) -> Profile {
    load(name).expect("a shipped profile").profile
}

#[test]
fn a_hundred_switches_through_all_shipped_profiles_make_no_click() {
    let names: Vec<&str> = embedded().map(|(name, _)| name).collect();
    let mut random = Random::new(14);
    // Each of them seven times, in ever another order.
    let mut list = Vec::new();
    while list.len() <= 100 {
        let mut round = names.clone();
        while !round.is_empty() {
            let name = round.swap_remove(random.below(round.len()));
            list.push((name.to_owned(), shipped(name).chain_params()));
        }
    }
    list.truncate(101);
    for rate_hz in RATES_HZ {
        let worst = judge(rate_hz, &list);
        println!(
            "{rate_hz} Hz, 100 switches: 5 ms of {:.1} dBFS rms and a sample of {:.1} dBFS at most",
            worst.rms_dbfs, worst.sample_dbfs
        );
    }
}

#[test]
fn no_setting_clicks_between_the_ends_of_its_range() {
    let mut list = vec![("default".to_owned(), shipped("default").chain_params())];
    for setting in SETTINGS {
        let ends = match setting.kind {
            Kind::Switch => vec![Value::Switch(true), Value::Switch(false)],
            Kind::Number(min, max) => vec![Value::Number(min), Value::Number(max)],
            // A make-up that leaps up by 30 dB is a blast, and the guard takes it for one.
            Kind::NumberOrAuto(min, _) => vec![Value::Number(min), Value::Number(12.0)],
            Kind::OneOf(numbers) => {
                numbers.iter().map(|number| Value::Number(f32::from(*number))).collect()
            }
            Kind::Word(words) => words.iter().map(|word| Value::Word(word)).collect(),
        };
        for value in ends {
            let mut profile = shipped("default");
            setting.put(&mut profile, value).unwrap_or_else(|error| panic!("{error}"));
            list.push((format!("{} = {value:?}", setting.key), profile.chain_params()));
        }
        // Back, so that every key is switched on its own.
        list.push(("default".to_owned(), shipped("default").chain_params()));
    }
    for bypassed in [(true, false), (false, true), (true, true)] {
        let mut params = list[0].1;
        (params.bus.bypass, params.master.bypass) = bypassed;
        list.push((format!("bypass of bus and master {bypassed:?}"), params));
        list.push(list[0].clone());
    }
    for rate_hz in RATES_HZ {
        let worst = judge(rate_hz, &list);
        println!(
            "{rate_hz} Hz, {} switches: 5 ms of {:.1} dBFS rms and a sample of {:.1} dBFS at most",
            list.len() - 1,
            worst.rms_dbfs,
            worst.sample_dbfs
        );
    }
}

#[test]
fn after_the_last_sound_no_switch_brings_any_of_it_back() {
    const SOUND_S: f64 = 2.0;
    let names: Vec<&str> = embedded().map(|(name, _)| name).collect();
    for rate_hz in RATES_HZ {
        let first = shipped("default").chain_params();
        let mut chain =
            Chain::prepare(rate_hz, Layout::STEREO, BLOCK_FRAMES, &first).expect("a chain");
        let sound = tone::sine(rate_hz, 2, SOUND_S, TONE_HZ, TONE_DBFS);
        let silence = headroom_signals::Programme::silence(rate_hz, 2, 2.0);
        let mut planes = sound.then(&silence).channels;
        let (mut at, mut turn) = (0, 0);
        let step = rate_hz as usize / 20;
        while at + step <= planes[0].len() {
            chain.set_params(&shipped(names[turn % names.len()]).chain_params());
            turn += 1;
            for part in 0..step.div_ceil(BLOCK_FRAMES) {
                let from = at + part * BLOCK_FRAMES;
                let to = (from + BLOCK_FRAMES).min(at + step);
                let mut block: Vec<&mut [f32]> =
                    planes.iter_mut().map(|plane| &mut plane[from..to]).collect();
                chain.process(&mut block);
            }
            at += step;
        }
        // The longest look-ahead, and a little for the detector.
        let quiet_from = ((SOUND_S + 0.012) * f64::from(rate_hz)) as usize;
        let stale = planes.iter().flat_map(|plane| &plane[quiet_from..]).find(|x| **x != 0.0);
        assert_eq!(stale, None, "at {rate_hz} Hz");
    }
}
