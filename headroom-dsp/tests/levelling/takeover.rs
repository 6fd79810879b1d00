//! Sound that plays already when the bus gets it goes on as loud as it was, and comes to the target
//! at the pace of the AGC.

use super::{RATE_HZ, TARGET_LUFS, pink};
use headroom_dsp::{Bus, BusParams, Db, Layout};
use headroom_signals::Programme;
use headroom_signals::judge::oracle;

const BLOCK_FRAMES: usize = 480;
/// What steady noise is away from itself a moment later.
const NOISE_LU: f64 = 0.3;
/// What nothing may jump by.
const MOST_LU: f64 = 3.0;

/// What a bus makes of it that takes it over, with this gain from last time.
fn taken_over(input: &Programme, remembered_db: f32) -> Programme {
    let params = BusParams::default();
    let mut bus = Bus::prepare(RATE_HZ, Layout::STEREO, BLOCK_FRAMES, &params).expect("a bus");
    bus.set_agc_gain(Db(remembered_db));
    bus.begin_at_unity();
    input.clone().in_blocks(BLOCK_FRAMES, |block| bus.process(block))
}

#[test]
fn what_is_taken_over_does_not_jump_and_comes_to_the_target() {
    let pace = BusParams::default().agc;
    for lufs in [-35.0, -18.0, -5.0] {
        let input = pink(20.0, lufs, 5);
        for remembered_db in [16.0, 0.0, -12.0] {
            let output = taken_over(&input, remembered_db);
            let moments = oracle::momentary_over_time(&output);
            // The mean over 0.1 s: noise is not as steady as a tone.
            let moment = |tenth: usize| {
                let readings = &moments[40 + 10 * tenth..50 + 10 * tenth];
                readings.iter().map(|reading| reading.lufs).sum::<f64>() / readings.len() as f64
            };
            let jump_lu = moment(0) - lufs;
            let steps = (1..150).map(|tenth| moment(tenth) - moment(tenth - 1));
            let (fall_lu, rise_lu) =
                steps.fold((0.0_f64, 0.0_f64), |(fall, rise), lu| (fall.min(lu), rise.max(lu)));
            let lowest = (0..150).map(moment).fold(f64::MAX, f64::min);
            let end_lu = moment(150) - TARGET_LUFS;
            println!(
                "{lufs} LUFS, {remembered_db} dB remembered: {jump_lu:+.2} LU at first, \
                 {fall_lu:+.2} to {rise_lu:+.2} LU in 0.1 s, {end_lu:+.2} LU off at the end"
            );
            assert!(jump_lu.abs() <= MOST_LU, "a jump of {jump_lu:.1} LU");
            let (rise_db, fall_db) = (pace.rise_db_per_s / 10.0, pace.fall_db_per_s / 10.0);
            assert!(rise_lu <= f64::from(rise_db) + NOISE_LU, "{rise_lu:.2} LU up");
            assert!(-fall_lu <= f64::from(fall_db) + NOISE_LU, "{fall_lu:.2} LU down");
            let least = lufs.min(TARGET_LUFS) - 2.0;
            assert!(lowest >= least, "on the way it is at {lowest:.1} LUFS, under {least:.1}");
            assert!(end_lu.abs() < 1.0, "{end_lu:.2} LU off");
        }
    }
}

#[test]
fn without_a_takeover_the_remembered_gain_is_there_at_once() {
    let input = pink(2.0, -34.0, 5);
    let params = BusParams::default();
    let mut bus = Bus::prepare(RATE_HZ, Layout::STEREO, BLOCK_FRAMES, &params).expect("a bus");
    bus.set_agc_gain(Db(16.0));
    let mut planes: Vec<Vec<f32>> =
        input.channels.iter().map(|plane| plane[..BLOCK_FRAMES].to_vec()).collect();
    let mut block: Vec<&mut [f32]> = planes.iter_mut().map(Vec::as_mut_slice).collect();
    bus.process(&mut block);
    let gain = bus.take_meters().gain.to_db().0;
    assert!(gain > 12.0, "{gain} dB");
    bus.begin_at_unity();
    assert_eq!(bus.take_meters().gain.0, 1.0);
}
