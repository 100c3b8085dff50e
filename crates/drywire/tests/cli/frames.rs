//! `drywire frame` with whatever it may be given: exit codes, messages, streams.

use std::{
    io::Write,
    process::{Command, Stdio},
    thread,
};

use super::support::Said;

/// `drywire frame …` with this on standard input.
fn frame(args: &[&str], stdin: &[u8]) -> Said {
    let mut child = Command::new(env!("CARGO_BIN_EXE_drywire"))
        .arg("frame")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut input = child.stdin.take().expect("a pipe");
    thread::scope(|scope| {
        // A command that does not read closes the pipe.
        scope.spawn(move || drop(input.write_all(stdin)));
        child
            .wait_with_output()
            .expect("the command can be waited for")
            .into()
    })
}

#[test]
fn whatever_is_wrong_with_input_or_arguments_exits_4_and_says_what() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().to_str().expect("a path in UTF-8");
    let missing = format!("{folder}/missing");
    let long = format!("text:{}", "x".repeat(65_536));
    let cases: [(&[&str], &[u8], &str); 22] = [
        (&["decode", "zz"], b"", "\"zz\" is not hexadecimal"),
        (&["decode", "050"], b"", "is not hexadecimal"),
        (&["decode", "-05"], b"", "unexpected argument"),
        (&["decode", "Ü0"], b"", "is not hexadecimal"),
        (&["decode"], b"\x05\x00", "for binary input use --binary"),
        (&["decode"], b"05 00 \xff", "is not hexadecimal"),
        (&["decode", "--file", &missing], b"", &missing),
        (&["decode", "--file", folder], b"", folder),
        (&["decode", "--routed", "--resync", "00"], b"", "--resync"),
        (&["decode", "05"], b"", "byte 0: incomplete frame"),
        (&["decode", "0500 00"], b"", "byte 2: END (0x00)"),
        (&["decode", "1b00"], b"", "byte 0: ESCAPE (0x1b)"),
        (&["decode", "2000"], b"", "byte 0: unknown verb 0x20"),
        (&["decode", "01611b62 00"], b"", "byte 0: invalid escape"),
        (&["decode", "--routed", "80 0500"], b"", "frame 0: "),
        (&["decode", "--routed", "00"], b"", "frame 0: incomplete"),
        (&["encode", "escape"], b"", "no verb \"escape\""),
        (&["encode", "+5"], b"", "no verb \"+5\""),
        (&["encode", "0x0x5"], b"", "no verb"),
        (&["encode", "scan", "u8:256"], b"", "field \"u8:256\""),
        (&["encode", "scan", "lstr"], b"", "field \"lstr\""),
        (&["encode", "audio", &long], b"", "65536 bytes is over"),
    ];
    for (args, stdin, part) in cases {
        let said = frame(args, stdin);
        assert_eq!(said.code, Some(4), "{args:?}: {}", said.err);
        assert!(said.err.contains(part), "{args:?}: {}", said.err);
        assert!(said.err.starts_with("error: "), "{args:?}: {}", said.err);
    }
}

#[test]
fn what_is_right_exits_0_and_is_quiet() {
    let cases: [(&[&str], &[u8], &str); 6] = [
        (&["decode"], b"", ""),
        (&["decode", "--binary"], b"", ""),
        (&["encode", "0X05"], b"", "05 00\n"),
        (&["encode", "ping"], b"", "05 00\n"),
        (
            &["encode", "error", "hex:1b 00"],
            b"",
            "15 1B 1B 1B 00 00\n",
        ),
        (
            &["decode"],
            b"0X05,0x00\n",
            "     0  05 ENQ  PING  level 0, payload 0 bytes\n",
        ),
    ];
    for (args, stdin, out) in cases {
        let said = frame(args, stdin);
        assert_eq!((said.code, &said.err[..]), (Some(0), ""), "{args:?}");
        assert_eq!(said.out, out, "{args:?}");
    }
}

#[test]
fn bytes_from_a_wire_never_steer_the_terminal() {
    let shown = [
        // ESC [ 2 J in a text, and a text that runs from right to left in an address.
        frame(&["decode", "15 1b1b 5b324a 0d0a 00"], b"").out,
        frame(&["decode", "--routed", "85 e280ae 6161 0500"], b"").out,
    ];
    assert!(
        shown[0].contains(r#"message     "\u{1b}[2J\r\n""#),
        "{}",
        shown[0]
    );
    assert!(shown[1].contains(r"to \u{202e}aa"), "{}", shown[1]);
}

#[test]
fn a_request_that_is_not_its_verbs_is_shown_in_bytes_inside_an_auth_block_too() {
    let block = format!("00{}0f01ffff", "11".repeat(88));
    let wire = frame(&["encode", "auth_start", &format!("hex:{block}")], b"").out;
    let said = frame(&["decode"], wire.as_bytes());
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(
        said.out.contains("not as its verb has it") && said.out.contains("payload     FF FF"),
        "{}",
        said.out
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error_and_a_full_disk_is_ours() {
    let pings = b"\x05\x00".repeat(100_000);
    let mut child = Command::new(env!("CARGO_BIN_EXE_drywire"))
        .args(["frame", "decode", "--binary"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command starts");
    drop(child.stdout.take());
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(&pings).expect("it reads everything first");
    drop(input);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));

    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("the device that is always full");
    let said: Said = Command::new(env!("CARGO_BIN_EXE_drywire"))
        .args(["frame", "decode", "0500"])
        .stdout(full)
        .output()
        .expect("the command starts")
        .into();
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(
        said.err.starts_with("error: cannot write the output: "),
        "{}",
        said.err
    );
}
