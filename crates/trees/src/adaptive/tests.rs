use proptest::prelude::*;

use super::*;
use crate::random::Random;

const STEPS: usize = 20_000;

/// Normally distributed numbers, as the sum of twelve uniform ones.
fn noise(random: &mut Random) -> f64 {
    let uniform = |random: &mut Random| random.below(1 << 30) as f64 / f64::from(1 << 30);
    (0..12).map(|_| uniform(random)).sum::<f64>() - 6.0
}

/// The share of bounds that held, when scores are noise of a scale and around a place.
fn coverage(seed: u64, scale: impl Fn(f64) -> f64, place: impl Fn(f64) -> f64) -> f64 {
    let adaptation = Adaptation::default();
    let mut random = Random::new(seed);
    let mut stream = Stream::new(&adaptation);
    let global = Scores::default();
    let mut held = 0;
    for step in 0..STEPS {
        let time = step as f64 / STEPS as f64;
        let score = place(time) + scale(time) * noise(&mut random);
        let correction = stream.correction(&adaptation, &global);
        held += usize::from(correction.is_none_or(|correction| score <= correction));
        stream.observe(&adaptation, score, correction);
    }
    held as f64 / STEPS as f64
}

fn is_as_promised(coverage: f64) -> bool {
    (0.94..=0.96).contains(&coverage)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn bounds_hold_as_often_as_promised_for_steady_work(seed in any::<u64>()) {
        let coverage = coverage(seed, |_| 1.0, |_| 0.0);
        prop_assert!(is_as_promised(coverage), "{}", coverage);
    }

    #[test]
    fn bounds_hold_as_often_as_promised_when_work_changes_at_once(seed in any::<u64>()) {
        let wider = coverage(seed, |time| if time < 0.5 { 1.0 } else { 4.0 }, |_| 0.0);
        prop_assert!(is_as_promised(wider), "{}", wider);
        let narrower = coverage(seed, |time| if time < 0.5 { 4.0 } else { 1.0 }, |_| 0.0);
        prop_assert!(is_as_promised(narrower), "{}", narrower);
    }

    #[test]
    fn bounds_hold_as_often_as_promised_when_work_drifts(seed in any::<u64>()) {
        let rising = coverage(seed, |time| 1.0 + 3.0 * time, |time| 10.0 * time);
        prop_assert!(is_as_promised(rising), "{}", rising);
        let falling = coverage(seed, |time| 4.0 - 3.0 * time, |time| -10.0 * time);
        prop_assert!(is_as_promised(falling), "{}", falling);
    }

    /// Whoever chooses scores knowing the bounds does not get more misses than the formula says.
    #[test]
    fn an_enemy_gets_no_more_misses_than_promised(seed in any::<u64>(), steps in 100..3000_usize) {
        let adaptation = Adaptation::default();
        let mut random = Random::new(seed);
        let mut stream = Stream::new(&adaptation);
        let global = Scores::default();
        let mut misses = 0;
        for _ in 0..steps {
            let correction = stream.correction(&adaptation, &global);
            let bait = noise(&mut random) * 1e3 - 1e6;
            let wants_miss = random.below(4) > 0;
            let score = match correction {
                Some(correction) if wants_miss => correction + 1.0,
                _ => bait,
            };
            misses += usize::from(correction.is_some_and(|correction| score > correction));
            stream.observe(&adaptation, score, correction);
        }
        let steps = steps as f64;
        let most = steps * 0.05 + (0.5 + adaptation.gamma) / adaptation.gamma;
        prop_assert!(misses as f64 <= most, "{} of {}", misses, steps);
    }
}

#[test]
fn a_new_stream_begins_with_what_is_known_of_all() {
    let adaptation = Adaptation::default();
    let mut global = Scores::default();
    let mut stream = Stream::new(&adaptation);
    assert_eq!(stream.correction(&adaptation, &global), None);
    (0..500_u16).for_each(|score| global.push(score.into()));
    let begun = stream.correction(&adaptation, &global).unwrap();
    assert!((475.0..=480.0).contains(&begun), "{begun}");
    let mut last = begun;
    for count in 1..=100_usize {
        stream.observe(&adaptation, 0.0, Some(1.0));
        // Only how the own scores come to count is looked at here.
        stream.miss_rate = 0.05;
        if count % 25 == 0 {
            let correction = stream.correction(&adaptation, &global).unwrap();
            assert!(correction < last, "{count}: {correction}");
            last = correction;
        }
    }
    assert_eq!(last, 0.0);
}

#[test]
fn memory_is_bounded_and_what_is_no_number_is_a_miss() {
    let adaptation = Adaptation::default();
    let mut stream = Stream::new(&adaptation);
    for _ in 0..1200 {
        stream.observe(&adaptation, 1.0, Some(1.0));
    }
    assert_eq!(stream.scores().len(), SCORES_MAX);
    assert_eq!(stream.scores().greatest(), Some(1.0));
    let before = stream.miss_rate();
    stream.observe(&adaptation, f64::NAN, Some(1.0));
    assert!(stream.miss_rate() < before);
    assert_eq!(stream.scores().len(), SCORES_MAX);
}

#[test]
fn a_stream_is_kept_and_taken_up_again() {
    let adaptation = Adaptation::default();
    let mut stream = Stream::new(&adaptation);
    for score in [0.5, -1.25, 3.0] {
        let correction = stream.correction(&adaptation, &Scores::default());
        stream.observe(&adaptation, score, correction);
    }
    let text = serde_json::to_string(&stream).unwrap();
    let read: Stream = serde_json::from_str(&text).unwrap();
    assert_eq!(read.scores(), stream.scores());
    assert!((read.miss_rate() - stream.miss_rate()).abs() < 1e-12);
    let many = format!(
        "{{\"scores\":[{}],\"miss_rate\":0}}",
        vec!["1"; 501].join(",")
    );
    for bad in [
        "{\"scores\":[],\"miss_rate\":2}",
        "{\"scores\":[null],\"miss_rate\":0}",
        &many,
    ] {
        assert!(serde_json::from_str::<Stream>(bad).is_err(), "{bad}");
    }
}
