use crate::handshake::{CookiePacket, Hello, Icid, Response, Suite, Versions};

/// Any bytes are one HELLO or an error, and what was read is written as it was.
pub fn hello(bytes: &[u8]) {
    if let Ok(hello) = Hello::decode(bytes) {
        let mut again = Vec::new();
        hello.encode(&mut again);
        assert_eq!(again, bytes);
        assert!(hello.ephemeral().is_some());
    }
}

/// Any bytes are one HELLO_RESP of either suite or an error, and written as they were read.
pub fn response(bytes: &[u8]) {
    for suite in [Suite::Full, Suite::Resume] {
        for len in [0, 3, Icid::MIN_LEN, Icid::MAX_LEN, 21, usize::MAX - 1] {
            if let Ok(response) = Response::decode(bytes, len, suite) {
                assert_eq!(response.encode(), bytes);
                assert_eq!(response.icid.as_bytes().len(), len);
            }
        }
    }
}

/// Any bytes are one COOKIE or an error, and written as they were read.
pub fn cookie(bytes: &[u8]) {
    for len in [0, Icid::MIN_LEN, Icid::MAX_LEN, usize::MAX - 1] {
        if let Ok(packet) = CookiePacket::decode(bytes, len) {
            let again = CookiePacket::encode(&packet.icid, packet.nonce, packet.boxes().copied());
            assert_eq!(again, bytes);
        }
    }
}

/// Any bytes are one VERSIONS or an error; every byte of it is told.
pub fn versions(bytes: &[u8]) {
    for len in [0, Icid::MIN_LEN, Icid::MAX_LEN, usize::MAX - 1] {
        if let Ok(packet) = Versions::decode(bytes, len) {
            let pairs: Vec<u8> = packet.pairs().flat_map(|(v, s)| [v, s]).collect();
            assert_eq!([&[0x04], packet.icid.as_bytes(), &pairs].concat(), bytes);
        }
    }
}
