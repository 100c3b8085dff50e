use super::Case;
use crate::{
    Aead, TAG_LEN,
    kdf::expand,
    label::{HEADER, IV, KEY},
    secret::{Secret, TrafficSecret},
};

#[test]
fn packets_are_sealed_and_masked_the_same() {
    let cases = Case::file("packet.json").cases("cases", 6);
    for aead in Aead::ALL {
        let phases = cases
            .iter()
            .filter(|case| case.number("aead") == u64::from(aead.to_wire()));
        assert_eq!(
            phases
                .map(|case| case.number("updates"))
                .collect::<Vec<_>>(),
            [0, 1, 2]
        );
    }
    for case in cases {
        let aead = Aead::from_wire(case.number("aead") as u8).unwrap();
        let first = TrafficSecret::new(Secret::new(case.array("first_secret")));
        let mut secret = TrafficSecret::new(Secret::new(case.array("first_secret")));
        for _ in 0..case.number("updates") {
            secret = secret.next();
        }
        assert_eq!(secret.expose(), &case.array("secret"));
        let context = [aead.to_wire()];
        let of = |secret: &TrafficSecret| Secret::new(*secret.expose());
        assert_eq!(
            expand::<32>(&of(&secret), KEY, &[&context]).expose(),
            &case.array("key")
        );
        assert_eq!(
            expand::<12>(&of(&secret), IV, &[&context]).expose(),
            &case.array("iv")
        );
        assert_eq!(
            expand::<32>(&of(&first), HEADER, &[&context]).expose(),
            &case.array("hp")
        );

        let (mut key, header) = (secret.packet_key(aead), first.header_key(aead));
        for packet in case.cases("packets", 6) {
            let (pn, aad) = (packet.number("number"), packet.bytes("aad"));
            let (payload, sealed) = (packet.bytes("payload"), packet.bytes("sealed"));
            let mut body = payload.clone();
            body.resize(payload.len() + TAG_LEN, 0);
            key.seal(pn, &aad, &mut body).unwrap();
            assert_eq!(body, sealed, "{aead:?} packet {pn}");
            assert_eq!(key.open(pn, &aad, &mut body), Ok(payload.len()));
            assert_eq!(body[..payload.len()], payload);
            assert_eq!(header.mask(&packet.array("sample")), packet.array("mask"));
        }
    }
}
