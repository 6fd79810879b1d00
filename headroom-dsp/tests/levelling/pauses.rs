//! No pause ever ends louder than it began.

use super::{RATE_HZ, Run};
use headroom_dsp::ChainParams;
use headroom_signals::judge::oracle;
use headroom_signals::{Programme, noise, speech};

const SPEECH_S: f64 = 20.0;

#[test]
fn speech_comes_back_from_a_pause_no_louder_than_it_went() {
    for lufs in [-8.0, -18.0, -30.0] {
        let speech = speech::speech_like(RATE_HZ, 2, SPEECH_S, speech::Pauses::Natural, 7);
        let speech = speech.at_lufs(lufs);
        for pause_s in [5.0, 60.0] {
            let room = noise::gauss(RATE_HZ, 2, pause_s, -60.0, 3);
            let run = Run::of(
                &Programme::concat(&[speech.clone(), room, speech.clone()]),
                &ChainParams::default(),
            );
            let back_s = SPEECH_S + pause_s;
            // The first look of the pause: the AGC's hop may still have been of the speech.
            let gain_before = run.between(SPEECH_S, back_s)[0].agc_gain_db;
            let rise = run
                .between(SPEECH_S, back_s)
                .iter()
                .map(|look| look.agc_gain_db - gain_before)
                .fold(f64::MIN, f64::max);
            let before = oracle::max_momentary_between(&run.output, 3.0, SPEECH_S);
            let after = oracle::max_momentary_between(&run.output, back_s, back_s + 1.0);
            println!(
                "{lufs:5} LUFS, {pause_s:2} s: rise {rise:.3} dB, back at {:+.2} LU",
                after - before
            );
            assert!(rise <= 0.0, "the gain rose by {rise} dB");
            assert!(after <= before + 1.0, "{before} LUFS before, {after} after");
        }
    }
}
