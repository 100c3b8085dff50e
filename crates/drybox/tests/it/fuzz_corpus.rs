//! What the fuzz targets start from holds on the stable toolchain too.

use std::{fs, path::Path};

type Body = fn(&[u8]);

#[test]
fn the_corpus_of_every_target_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let bodies: [(&str, Body); 2] = [
        ("capture_read", drybox::output::read::fuzz_capture),
        ("scenario_load", drybox::scenario::fuzz),
    ];
    for (name, body) in bodies {
        let mut seeds = 0;
        for entry in fs::read_dir(corpus.join(name)).unwrap() {
            let path = entry.unwrap().path();
            // Shown if the body panics.
            println!("{}", path.display());
            body(&fs::read(&path).unwrap());
            seeds += 1;
        }
        assert!(seeds > 0, "{name} has no corpus");
    }
}
