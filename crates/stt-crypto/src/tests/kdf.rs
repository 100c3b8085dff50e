use super::Case;
use crate::{
    Stc,
    label::{FRAME, HASH, NODE, RESET},
    secret::{Exporter, Secret, Seed},
};

#[test]
fn seeds_give_the_same_keys() {
    for case in Case::file("kdf.json").cases("seeds", 7) {
        let bytes = case.bytes("seed");
        let seed = Seed::new(&bytes).unwrap();
        assert_eq!(seed.is_short(), case.flag("short"), "{} bytes", bytes.len());
        assert_eq!(seed.expose_root(), &case.array("root"));
        let identity = case.bytes("identity");
        let derived = |label, context: &[u8]| *seed.derive::<32>(label, &[context]).expose();
        assert_eq!(derived(HASH, &[]), case.array("hash_key"));
        assert_eq!(derived(FRAME, &[1]), case.array("frame_key"));
        assert_eq!(derived(NODE, &identity), case.array("node_private"));
        assert_eq!(derived(RESET, &identity), case.array("reset_key"));

        let node = seed.node_key(&identity);
        assert_eq!(node.public().as_bytes(), &case.array("node_public"));
        assert_eq!(node.node_id().as_bytes(), &case.array("node_id"));

        let psk = seed.psk();
        assert_eq!(psk.noise(), &case.array("psk"));
        assert_eq!(psk.cookie(), &case.array("cookie_key"));
        let resumed = psk.resume(&Secret::new(case.array("resumption")));
        assert_eq!(resumed.noise(), &case.array("resumed_psk"));
        assert_eq!(resumed.cookie(), psk.cookie());

        let stc = Stc::from_seed(seed);
        let key = stc.derive_session_key(&case.bytes("session_context"));
        assert_eq!(key.expose(), &case.array("session_key"));
        let rotated = Stc::rotate_session_key(&key, &case.bytes("rotation_nonce"));
        assert_eq!(rotated.expose(), &case.array("rotated_key"));
    }
}

#[test]
fn exporters_give_the_same_keys() {
    for case in Case::file("kdf.json").cases("exports", 4) {
        let mut both = [0; 64];
        both[..32].copy_from_slice(&case.bytes("k1"));
        both[32..].copy_from_slice(&case.bytes("k2"));
        let exporter = Exporter::new(&case.bytes("h"), &Secret::new(both));
        assert_eq!(exporter.expose(), &case.array("exp"));
        let key = exporter
            .export(&case.bytes("label"), &case.bytes("context"))
            .unwrap();
        assert_eq!(key.expose(), &case.array("key"));
    }
}
