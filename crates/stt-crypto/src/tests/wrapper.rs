use super::Case;
use crate::{
    FrameMetadata, Stc,
    secret::{CookieKey, Seed},
};

fn file() -> (Case, Stc) {
    let file = Case::file("wrapper.json");
    let stc = Stc::new(&file.bytes("seed")).unwrap();
    (file, stc)
}

#[test]
fn hashes_are_the_same() {
    let (file, stc) = file();
    for case in file.cases("hashes", 5) {
        let hash = stc.hash_data(&case.bytes("data"), &case.bytes("context"));
        assert_eq!(hash, case.array("hash"));
    }
}

#[test]
fn frames_are_the_same() {
    let (file, stc) = file();
    for case in file.cases("frames", 5) {
        let (payload, associated) = (case.bytes("payload"), case.bytes("associated"));
        let metadata = FrameMetadata::from_bytes(&case.bytes("metadata")).unwrap();
        let sealed = stc.encrypt_frame(&payload, &associated, &metadata.nonce);
        assert_eq!(sealed, (case.bytes("encrypted"), metadata));
        assert_eq!(
            stc.decrypt_frame(&sealed.0, &metadata, &associated)
                .unwrap(),
            payload
        );
    }
}

#[test]
fn segments_are_the_same() {
    let (file, stc) = file();
    for case in file.cases("streams", 4) {
        let context = stc
            .create_stream_context(&case.bytes("session_id"), case.number("stream_id"))
            .unwrap();
        let (mut sealer, mut opener) = (context.sealer(case.array("salt")), context.opener());
        for (number, case) in (0..).zip(case.cases("segments", 3)) {
            let (plaintext, mut segment) = (case.bytes("plaintext"), case.bytes("segment"));
            let (mut out, last) = (Vec::new(), number == 2);
            assert_eq!(sealer.seal(&plaintext, last, &mut out), Ok(number));
            assert_eq!(out, segment);
            let opened = opener.open(number, &mut segment).unwrap();
            assert_eq!((opened.plaintext, opened.last), (&plaintext[..], last));
        }
    }
}

#[test]
fn cookies_and_reset_tokens_are_the_same() {
    let (file, stc) = file();
    let psk = stc.seed().psk();
    for case in file.cases("cookies", 5) {
        let (path, icid, e) = (case.bytes("path"), case.bytes("icid"), case.array("e"));
        let cookie = CookieKey::new(case.array("secret")).mac(&path, &icid, &e);
        assert_eq!(cookie, case.array("cookie"));
        let nonce = case.array("nonce");
        let sealed = psk.seal_cookie(&e, &cookie, &nonce);
        assert_eq!(sealed, case.array("sealed"));
        assert_eq!(psk.open_cookie(&e, &sealed, &nonce), Ok(cookie));
    }
    let key = Seed::new(&file.bytes("seed"))
        .unwrap()
        .reset_key(&file.bytes("identity"));
    for case in file.cases("tokens", 5) {
        assert_eq!(
            key.token(&case.bytes("wire_id")).expose(),
            &case.array("token")
        );
    }
}
