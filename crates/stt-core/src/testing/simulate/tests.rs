use super::{Report, run};

fn held(seed: u64) -> Report {
    run(seed, &mut |_, _| {}).unwrap_or_else(|failure| panic!("{failure}"))
}

#[test]
fn a_hundred_seeds_hold_every_invariant() {
    let reports: Vec<_> = (0..100).map(held).collect();
    // The plans do something: data, several sessions with new keys.
    assert!(reports.iter().map(|report| report.delivered).sum::<u64>() > 1_000_000);
    assert!(reports.iter().filter(|report| report.updates > 0).count() > 20);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in [1, 7, 250, 2_687] {
        assert_eq!(held(seed), held(seed), "seed {seed}");
    }
    assert_ne!(held(1).fingerprint, held(2).fingerprint);
}

#[test]
fn a_failure_names_its_seed_and_how_to_replay_it() {
    let failure = super::Failure {
        seed: 42,
        at: crate::Timestamp::from_millis(1_500),
        what: "something".into(),
        plan: "a plan".into(),
    };
    let text = failure.to_string();
    assert!(
        text.contains("cargo xtask simulate --seed 42 --trace"),
        "{text}"
    );
}
