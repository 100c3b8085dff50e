//! The control socket, and what is thrown at it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::Shutdown,
    os::unix::{
        fs::PermissionsExt as _,
        net::{UnixListener, UnixStream},
    },
    path::Path,
};

use drybox::Direction;
use drywire::proxy::{
    self, Proxy,
    control::{MAX_LINE_BYTES, Request},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{CLEAN, GUARD, Running, address, next, options, socket};

fn connect(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path).expect("the proxy listens");
    stream.set_read_timeout(Some(GUARD)).expect("a time limit");
    stream.set_write_timeout(Some(GUARD)).expect("a time limit");
    stream
}

fn line(reader: &mut impl std::io::BufRead) -> Value {
    let mut text = String::new();
    reader.read_line(&mut text).expect("a line in time");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn garbage_is_refused_line_by_line_and_the_proxy_goes_on() {
    let (server, client) = (socket(), socket());
    let proxy = Running::start(options(CLEAN, address(&server)));
    let mut stream = connect(&proxy.control);
    let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
    let deep = format!("{}\n", "[".repeat(50_000));
    for (garbage, message) in [
        (&b"\n"[..], "JSON object"),
        (b"\xff\xfe\x00\n", "JSON object"),
        (b"[1]\n", "JSON object"),
        (b"{}\n", "\"do\""),
        (b"{\"do\": 3}\n", "\"do\""),
        (b"{\"do\": \"dance\"}\n", "use set, get"),
        (b"{\"do\": \"get\", \"more\": 1}\n", "takes no key"),
        (b"{\"do\": \"set\"}\n", "settings"),
        (b"{\"do\": \"set\", \"settings\": {}}\n", "settings"),
        (
            b"{\"do\": \"set\", \"settings\": {\"network.loss_rate\": 2}}\n",
            "from 0 to 1",
        ),
        (
            b"{\"do\": \"set\", \"settings\": {\"network.loss\": 0.1}}\n",
            "network.loss",
        ),
        (b"{\"do\": \"cut\", \"direction\": \"up\"}\n", "L>R"),
        (deep.as_bytes(), "JSON object"),
    ] {
        stream.write_all(garbage).expect("written");
        let answer = line(&mut reader);
        assert_eq!(answer["ok"], false);
        let said = answer["error"].as_str().expect("a text");
        assert!(said.contains(message), "{said}");
    }
    // In one piece and byte by byte.
    stream
        .write_all(b"{\"do\":\"get\"}\n{\"do\":\"cut\"}\n")
        .expect("written");
    assert_eq!(line(&mut reader)["network"]["mtu_bytes"], 1200);
    assert_eq!(line(&mut reader)["cut"], json!(["L>R", "R>L"]));
    for byte in b"{\"do\":\"heal\"}\n" {
        stream.write_all(&[*byte]).expect("written");
    }
    assert_eq!(line(&mut reader)["cut"], json!([]));
    client.send_to(b"still here", proxy.address).expect("sent");
    assert_eq!(next(&server).0, b"still here");
    proxy.stop();
}

#[test]
fn a_line_that_is_too_long_is_answered_and_the_connection_closed() {
    let server = socket();
    let proxy = Running::start(options(CLEAN, address(&server)));
    let mut stream = connect(&proxy.control);
    // The proxy may close before it has read all of it.
    let _ = stream.write_all(&vec![b'x'; MAX_LINE_BYTES + 1]);
    let mut reader = BufReader::new(stream);
    let answer = line(&mut reader);
    assert!(answer["error"].as_str().expect("a text").contains("65536"));
    let mut rest = Vec::new();
    // Closed with or without unread bytes: an end or a reset, but no more answers.
    let _ = reader.read_to_end(&mut rest);
    assert_eq!(rest, b"");
    // A request of the greatest length is none too long.
    let mut stream = connect(&proxy.control);
    let mut request = b"{\"do\":\"get\"}".to_vec();
    request.resize(MAX_LINE_BYTES - 1, b' ');
    request.push(b'\n');
    stream.write_all(&request).expect("written");
    assert_eq!(line(&mut BufReader::new(stream))["ok"], true);
    proxy.stop();
}

#[test]
fn who_does_not_read_answers_holds_up_nobody() {
    let (server, client) = (socket(), socket());
    let proxy = Running::start(options(CLEAN, address(&server)));
    let mut greedy = connect(&proxy.control);
    greedy.set_nonblocking(true).expect("a socket");
    // Until the proxy takes no more: its answers fill the socket's buffer, then it stops reading.
    while greedy.write(b"{\"do\":\"stats\"}\n").is_ok() {}
    client.send_to(b"through", proxy.address).expect("sent");
    assert_eq!(next(&server).0, b"through");
    // All connections that there may be, and one more, which waits for its turn.
    let mut others: Vec<UnixStream> = (0..20).map(|_| connect(&proxy.control)).collect();
    for other in &mut others {
        other.write_all(b"{\"do\":\"get\"}\n").expect("written");
    }
    drop(greedy);
    for other in others {
        assert_eq!(line(&mut BufReader::new(other))["ok"], true);
    }
    proxy.stop();
}

#[test]
fn a_client_that_closes_its_half_still_gets_its_answers() {
    let server = socket();
    let proxy = Running::start(options(CLEAN, address(&server)));
    let mut stream = connect(&proxy.control);
    stream
        .write_all(b"{\"do\":\"get\"}\n{\"do\":\"stats\"}\n")
        .expect("written");
    stream.shutdown(Shutdown::Write).expect("half closed");
    let mut reader = BufReader::new(stream);
    assert!(line(&mut reader)["network"].is_object());
    assert!(line(&mut reader)["stats"].is_object());
    let mut rest = String::new();
    assert_eq!(reader.read_line(&mut rest).expect("an end"), 0);
    proxy.stop();
}

#[test]
fn the_socket_is_its_owners_and_replaces_only_a_stale_one() {
    let server = socket();
    let proxy = Running::start(options(CLEAN, address(&server)));
    let mode = fs::metadata(&proxy.control)
        .expect("it exists")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let at = |path: &Path| {
        let mut options = options(CLEAN, address(&server));
        options.control = Some(path.to_owned());
        Proxy::bind(options)
    };
    let error = at(&proxy.control).expect_err("it is in use").to_string();
    assert!(error.contains("another proxy listens there"), "{error}");

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "precious").expect("a file");
    let error = at(&file).expect_err("it is a file").to_string();
    assert!(error.contains("something else than a socket"), "{error}");
    assert_eq!(fs::read(&file).expect("still there"), b"precious");

    let stale = folder.path().join("stale");
    drop(UnixListener::bind(&stale).expect("a socket"));
    assert!(stale.exists());
    drop(at(&stale).expect("a stale socket is replaced"));
    assert!(!stale.exists());
    proxy.stop();
}

#[test]
fn nobody_at_the_socket_is_said_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = proxy::request(&folder.path().join("none"), &Request::Get).expect_err("nobody");
    let said = error.to_string();
    assert!(
        said.contains("no proxy answers") && said.contains("--control"),
        "{said}"
    );
}

#[test]
fn requests_are_read_as_they_are_written() {
    let Value::Object(settings) = json!({"network.loss_rate": 0.1}) else {
        panic!("an object");
    };
    for request in [
        Request::Set(settings),
        Request::Get,
        Request::Cut(Direction::BOTH.to_vec()),
        Request::Heal(vec![Direction::RightToLeft]),
        Request::Stats,
        Request::Stop,
    ] {
        let line = request.to_line();
        assert!(line.ends_with('\n'));
        assert_eq!(Request::parse(line.as_bytes()), Ok(request));
    }
}

proptest! {
    #[test]
    fn arbitrary_requests_never_panic(line in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(Request::parse(&line));
    }

    #[test]
    fn arbitrary_objects_never_panic(
        what in prop::sample::select(vec!["set", "get", "cut", "heal", "stats", "stop", "x"]),
        key in "[a-z.]{0,20}",
        number in any::<f64>(),
    ) {
        let line = json!({"do": what, "settings": {key.clone(): number}, key: number}).to_string();
        drop(Request::parse(line.as_bytes()));
    }
}
