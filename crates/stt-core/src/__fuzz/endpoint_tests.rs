//! The bodies hold on inputs with some sense in them; the fuzzer goes on from there.

use proptest::prelude::*;

/// Opens, and delivers mostly what was sent, so that sessions come about.
fn step() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        1 => (0_u8..2).prop_map(|op| vec![op]),
        8 => any::<u8>().prop_map(|op| vec![op & 0xf1 | 1 << 1]),
        2 => any::<u8>().prop_map(|op| vec![op & 0xf1 | 2 << 1]),
        2 => any::<[u8; 3]>().prop_map(|[op, a, b]| vec![op & 0xf1 | 3 << 1, a, b]),
        1 => any::<[u8; 2]>().prop_map(|[op, a]| vec![op & 0xf1 | 4 << 1, a]),
        1 => (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..130)).prop_map(|(op, bytes)| {
            [&[op & 0xf1 | 5 << 1, bytes.len() as u8], &bytes[..]].concat()
        }),
        2 => any::<u8>().prop_map(|time| vec![6 << 1, time]),
        1 => Just(vec![7 << 1]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn endpoints_survive_the_adversary(steps in proptest::collection::vec(step(), 0..120)) {
        super::endpoint(&steps.concat());
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..250)) {
        super::endpoint(&bytes);
        for (first, body) in [
            (1, super::hello as fn(&[u8])),
            (2, super::response),
            (3, super::cookie),
            (4, super::versions),
        ] {
            body(&bytes);
            body(&[&[first], &bytes[..]].concat());
        }
    }
}
