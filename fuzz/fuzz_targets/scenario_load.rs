//! Any text is a scenario or an error, and what was resolved resolves to itself.

#![no_main]

use drybox::scenario::{Overrides, Source, load};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(plan) = read(text) else {
        return;
    };
    for point in plan.points {
        let resolved = point.scenario.resolved_yaml();
        let again = read(&resolved).expect("a resolved scenario is a scenario");
        assert_eq!(again.points.len(), 1, "a resolved scenario sweeps nothing");
        assert_eq!(again.points[0].scenario.resolved_yaml(), resolved);
    }
});

fn read(text: &str) -> Result<drybox::scenario::Plan, drybox::scenario::ScenarioError> {
    let source = Source {
        name: "fuzz.yaml".to_owned(),
        text: text.to_owned(),
    };
    load(&source, &Overrides::default())
}
