//! `drywire frame`: st-protocol frames as people read them, for whoever debugs a wire.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use st_protocol::{
    Address, DecodeError, Decoder, EncodeError, Frame, FrameBuilder, FrameRef, Message, RouteError,
    RoutedDecoder, VERB_MAP, Verb,
};

/// Most bytes of a payload shown.
const SHOWN: usize = 256;

/// Largest input read, in bytes.
const MAX_INPUT: u64 = 64 << 20;

/// Read and write st-protocol frames.
#[derive(Args, Debug)]
pub struct FrameArgs {
    #[command(subcommand)]
    command: FrameCommand,
}

#[derive(Debug, Subcommand)]
enum FrameCommand {
    /// Show the frames in hexadecimal or binary input, field by field
    Decode(DecodeArgs),
    /// Write a frame, in hexadecimal or binary
    Encode(EncodeArgs),
}

#[derive(Args, Debug)]
struct DecodeArgs {
    /// The bytes in hexadecimal; blanks, colons, commas and 0x are skipped. Without any, standard input is read
    hex: Vec<String>,
    /// Read this file
    #[arg(long, conflicts_with = "hex")]
    file: Option<PathBuf>,
    /// The file or standard input is binary, not hexadecimal
    #[arg(long, conflicts_with = "hex")]
    binary: bool,
    /// Every frame has an address in front
    #[arg(long, conflicts_with = "resync")]
    routed: bool,
    /// After an error, go on behind the next END
    #[arg(long)]
    resync: bool,
}

#[derive(Args, Debug)]
struct EncodeArgs {
    /// The verb, by name (SCAN) or byte (01)
    verb: String,
    /// The payload's fields in order: lstr:TEXT, text:TEXT, hex:BYTES, lbytes:HEX, u8:N, u16:N, u32:N or u64:N
    fields: Vec<String>,
    /// Write the bytes themselves
    #[arg(long)]
    binary: bool,
}

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameCliError {
    /// The input can't be read.
    #[error("cannot read {from}: {error}")]
    Input {
        /// The file, or standard input.
        from: String,
        /// Why not.
        error: io::Error,
    },
    /// The output can't be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    /// The input is larger than the command reads.
    #[error("input of more than {MAX_INPUT} bytes, cut it")]
    TooLarge,
    /// The input is no hexadecimal.
    #[error("{what:?} is not hexadecimal; for binary input use --binary")]
    NotHex {
        /// The part that is not.
        what: String,
    },
    /// A frame is wrong.
    #[error("byte {at}: {error}")]
    Decode {
        /// Where its frame starts in the input.
        at: u64,
        /// What is wrong.
        error: DecodeError,
    },
    /// A routed frame is wrong.
    #[error("frame {index}: {error}")]
    Route {
        /// Its number, from 0.
        index: usize,
        /// What is wrong.
        error: RouteError,
    },
    /// No such verb.
    #[error("no verb {name:?}; there are {}", verb_names())]
    NoVerb {
        /// What was asked for.
        name: String,
    },
    /// A field is not written as `kind:value`, or its value does not fit.
    #[error(
        "field {field:?}: write lstr:, text:, hex:, lbytes:, u8:, u16:, u32: or u64: and a value that fits"
    )]
    BadField {
        /// The field.
        field: String,
    },
    /// The frame can't be written.
    #[error("{0}")]
    Encode(#[from] EncodeError),
}

/// Runs the command. Frames shown before an error stay shown.
///
/// # Errors
/// The input can't be read or is wrong, or the output can't be written.
pub fn run(
    args: &FrameArgs,
    stdin: &mut dyn Read,
    out: &mut dyn Write,
) -> Result<(), FrameCliError> {
    match &args.command {
        FrameCommand::Decode(args) => decode(args, stdin, out),
        FrameCommand::Encode(args) => encode(args, out),
    }
}

fn decode(
    args: &DecodeArgs,
    stdin: &mut dyn Read,
    out: &mut dyn Write,
) -> Result<(), FrameCliError> {
    let bytes = match (&args.file, &args.hex[..]) {
        (None, []) => input(Ok(stdin), "standard input", args.binary)?,
        (Some(path), _) => input(
            fs::File::open(path),
            &path.display().to_string(),
            args.binary,
        )?,
        (None, hex) => hex_bytes(&hex.join(" "))?,
    };
    if args.routed {
        decode_routed(&bytes, out)
    } else {
        decode_plain(&bytes, args.resync, out)
    }
}

fn decode_plain(bytes: &[u8], resync: bool, out: &mut dyn Write) -> Result<(), FrameCliError> {
    let mut decoder = Decoder::new();
    let mut rest = bytes;
    let mut at = 0;
    loop {
        let result = decoder
            .next_frame(&mut rest)
            .map(|frame| frame.map(|f| f.to_frame()));
        if let Some(skipped) = decoder.take_skipped() {
            writeln!(
                out,
                "{:6}  skipped {} bytes: {}",
                skipped.from, skipped.len, skipped.cause
            )?;
            at = skipped.from + skipped.len;
        }
        match result {
            Ok(Some(frame)) => show(at, None, frame.as_frame_ref(), out)?,
            Ok(None) => {
                return decoder
                    .finish()
                    .map_err(|error| FrameCliError::Decode { at, error });
            }
            Err(_) if resync => {
                decoder.resync();
                continue;
            }
            Err(error) => return Err(FrameCliError::Decode { at, error }),
        }
        at = decoder.position();
    }
}

fn decode_routed(bytes: &[u8], out: &mut dyn Write) -> Result<(), FrameCliError> {
    let mut decoder = RoutedDecoder::new();
    let mut rest = bytes;
    for index in 0.. {
        let at = (bytes.len() - rest.len()) as u64;
        match decoder.next_frame(&mut rest) {
            Ok(Some(routed)) => show(at, Some(routed.address), routed.frame, out)?,
            Ok(None) => {
                return decoder
                    .finish()
                    .map_err(|error| FrameCliError::Route { index, error });
            }
            Err(error) => return Err(FrameCliError::Route { index, error }),
        }
    }
    Ok(())
}

/// Writes a frame: where it is, what it is, and its fields, or why they can't be read.
fn show(
    at: u64,
    address: Option<Address>,
    frame: FrameRef<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let verb = frame.verb();
    write!(
        out,
        "{at:6}  {:02X} {:<3}  {verb}",
        verb.as_byte(),
        verb.mnemonic()
    )?;
    if let Some(address) = address {
        // Where it is shown, text may not turn the line around.
        write!(out, "  to {}", address.to_string().escape_debug())?;
    }
    let payload = frame.payload().to_cow();
    writeln!(
        out,
        "  level {}, payload {} bytes",
        verb.level().as_byte(),
        payload.len()
    )?;
    match Message::parse(verb, &payload) {
        Ok(message) => show_message(&message, out),
        Err(error) => {
            writeln!(out, "        not as its verb has it: {error}")?;
            field("payload", &payload, out)
        }
    }
}

fn show_message(message: &Message<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut text = |name: &str, text: &str| writeln!(out, "        {name:<12}{text:?}");
    match *message {
        Message::Scan { path, depth } => {
            text("path", path)?;
            writeln!(out, "        {:<12}{depth}", "depth")
        }
        Message::Format { mode } => text("mode", mode),
        Message::FormatPath { mode, path, depth } => {
            text("mode", mode)?;
            text("path", path)?;
            writeln!(out, "        {:<12}{depth}", "depth")
        }
        Message::Search { pattern } => text("pattern", pattern),
        Message::SearchPath {
            path,
            pattern,
            max_results,
        } => {
            text("path", path)?;
            text("pattern", pattern)?;
            writeln!(out, "        {:<12}{max_results}", "at most")
        }
        Message::Remember {
            content,
            keywords,
            kind,
            valence,
            arousal,
        } => {
            text("content", content)?;
            text("keywords", keywords)?;
            text("kind", kind)?;
            writeln!(
                out,
                "        {:<12}{valence}\n        {:<12}{arousal}",
                "valence", "arousal"
            )
        }
        Message::Recall {
            keywords,
            max_results,
        } => {
            text("keywords", keywords)?;
            writeln!(out, "        {:<12}{max_results}", "at most")
        }
        Message::Forget { id } => text("id", id),
        Message::Error { message } => text("message", message),
        Message::Auth(block) => {
            writeln!(
                out,
                "        {:<12}{} ({})",
                "level",
                block.level.as_byte(),
                block.level
            )?;
            // Whoever debugs holds these bytes already; a log elsewhere gets the shortened form.
            field("session", block.session.as_bytes(), out)?;
            writeln!(out, "        {:<12}{}", "counter", block.counter)?;
            field("signature", &block.signature, out)?;
            writeln!(out, "        {:<12}{}", "request", block.verb())?;
            match Message::parse(block.verb(), block.payload()) {
                // An auth block holds no other, so this ends.
                Ok(inner) => show_message(&inner, out),
                Err(error) => {
                    writeln!(out, "        not as its verb has it: {error}")?;
                    field("payload", block.payload(), out)
                }
            }
        }
        Message::Other { payload: [], .. } => Ok(()),
        Message::Other { payload, .. } => field("payload", payload, out),
        _ => Ok(()),
    }
}

fn field(name: &str, bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let shown = &bytes[..bytes.len().min(SHOWN)];
    let more = if shown.len() < bytes.len() {
        " …"
    } else {
        ""
    };
    writeln!(out, "        {name:<12}{}{more}", hex_text(shown))
}

fn encode(args: &EncodeArgs, out: &mut dyn Write) -> Result<(), FrameCliError> {
    let verb = verb_of(&args.verb).ok_or_else(|| FrameCliError::NoVerb {
        name: args.verb.clone(),
    })?;
    let mut builder = Frame::builder(verb);
    for text in &args.fields {
        builder = add(builder, text).ok_or_else(|| FrameCliError::BadField {
            field: text.clone(),
        })?;
    }
    let wire = builder.try_build()?.encode();
    if args.binary {
        out.write_all(&wire)?;
    } else {
        writeln!(out, "{}", hex_text(&wire))?;
    }
    Ok(())
}

/// The verb with this name, or with this byte in hexadecimal.
fn verb_of(text: &str) -> Option<Verb> {
    let named = Verb::ALL
        .iter()
        .find(|verb| verb.name().eq_ignore_ascii_case(text));
    named.copied().or_else(|| match *hex_bytes(text).ok()? {
        [byte] => Verb::from_byte(byte),
        _ => None,
    })
}

fn add(builder: FrameBuilder, field: &str) -> Option<FrameBuilder> {
    let (kind, value) = field.split_once(':')?;
    Some(match kind {
        "lstr" => builder.lstr(value),
        "text" => builder.string(value),
        "hex" => builder.bytes(&hex_bytes(value).ok()?),
        "lbytes" => builder.lbytes(&hex_bytes(value).ok()?),
        "u8" => builder.byte(value.parse().ok()?),
        "u16" => builder.u16_le(value.parse().ok()?),
        "u32" => builder.u32_le(value.parse().ok()?),
        "u64" => builder.u64_le(value.parse().ok()?),
        _ => return None,
    })
}

fn input(from: io::Result<impl Read>, name: &str, binary: bool) -> Result<Vec<u8>, FrameCliError> {
    let mut bytes = Vec::new();
    let read = from.and_then(|from| from.take(MAX_INPUT + 1).read_to_end(&mut bytes));
    let len = read.map_err(|error| FrameCliError::Input {
        from: name.to_owned(),
        error,
    })?;
    if len as u64 > MAX_INPUT {
        return Err(FrameCliError::TooLarge);
    }
    if binary {
        Ok(bytes)
    } else {
        hex_bytes(&String::from_utf8_lossy(&bytes))
    }
}

/// Reads hexadecimal in any of the forms that tools print.
fn hex_bytes(text: &str) -> Result<Vec<u8>, FrameCliError> {
    let mut bytes = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || c == ':' || c == ',') {
        let digits = without_0x(word);
        let not_hex = || FrameCliError::NotHex {
            what: word.chars().take(40).collect(),
        };
        if !digits.len().is_multiple_of(2) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        {
            return Err(not_hex());
        }
        for at in (0..digits.len()).step_by(2) {
            bytes.push(u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| not_hex())?);
        }
    }
    Ok(bytes)
}

fn without_0x(word: &str) -> &str {
    word.strip_prefix("0x")
        .or_else(|| word.strip_prefix("0X"))
        .unwrap_or(word)
}

fn hex_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(3 * bytes.len());
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{}{byte:02X}", if text.is_empty() { "" } else { " " });
    }
    text
}

fn verb_names() -> String {
    let names: Vec<&str> = VERB_MAP
        .iter()
        .filter(|entry| Verb::from_byte(entry.byte).is_some())
        .map(|entry| entry.name)
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        frame: FrameArgs,
    }

    fn frame(args: &[&str], stdin: &[u8]) -> (Vec<u8>, Result<(), FrameCliError>) {
        let cli = Cli::try_parse_from([&["frame"], args].concat()).unwrap();
        let mut out = Vec::new();
        let result = run(&cli.frame, &mut &stdin[..], &mut out);
        (out, result)
    }

    fn text(args: &[&str], stdin: &[u8]) -> String {
        let (out, result) = frame(args, stdin);
        result.unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_encoded_is_decoded_field_by_field() {
        assert_eq!(
            text(&["encode", "scan", "lstr:/srv", "u8:3"], b""),
            "01 84 2F 73 72 76 03 00\n"
        );
        assert_eq!(
            text(&["encode", "1c", "lstr:ab", "u8:27"], b""),
            "1C 82 61 62 1B 1B 00\n"
        );
        let shown = text(&["decode", "01842F73727603", "00", "0x05:00"], b"");
        assert_eq!(
            shown,
            "     0  01 SOH  SCAN  level 0, payload 6 bytes\n\
             \x20       path        \"/srv\"\n\
             \x20       depth       3\n\
             \x20    8  05 ENQ  PING  level 0, payload 0 bytes\n"
        );
    }

    #[test]
    fn binary_goes_in_and_out() {
        let (wire, result) = frame(&["encode", "search", "text:fn main", "--binary"], b"");
        result.unwrap();
        assert_eq!(wire, b"\x03fn main\x00");
        assert!(text(&["decode", "--binary"], &wire).contains("pattern     \"fn main\""));
        assert!(text(&["decode", "--routed"], b"86 6e61733a3939 0500").contains("to nas:99"));
    }

    #[test]
    fn an_error_says_where_and_resync_goes_on() {
        let (out, result) = frame(&["decode", "0500 01 61 1b62 00 0600"], b"");
        assert!(
            String::from_utf8(out).unwrap().contains("PING"),
            "what came before is shown"
        );
        assert!(matches!(
            result,
            Err(FrameCliError::Decode {
                at: 2,
                error: DecodeError::InvalidEscape { .. }
            })
        ));
        let shown = text(&["decode", "--resync", "0500 01 61 1b62 00 0600"], b"");
        assert!(
            shown.contains("     2  skipped 5 bytes") && shown.contains("     7  06 ACK  OK"),
            "{shown}"
        );
        assert!(matches!(
            frame(&["decode", "01 61"], b"").1,
            Err(FrameCliError::Decode { at: 0, .. })
        ));
    }

    #[test]
    fn a_protected_request_shows_what_is_in_it() {
        let block = st_protocol::AuthBlock::new(
            Verb::Forget.level(),
            st_protocol::SessionId::new([0x11; 16]),
            7,
            Verb::Forget,
            b"m1",
        )
        .unwrap();
        let shown = text(&["decode", "--binary"], &block.to_frame().encode());
        for part in [
            "counter     7",
            "level       2 (FIDO)",
            "request     FORGET",
            "id          \"m1\"",
        ] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }

    #[test]
    fn bad_usage_is_named() {
        assert!(matches!(
            frame(&["decode", "zz"], b"").1,
            Err(FrameCliError::NotHex { .. })
        ));
        assert!(matches!(
            frame(&["encode", "escape"], b"").1,
            Err(FrameCliError::NoVerb { .. })
        ));
        assert!(matches!(
            frame(&["encode", "scan", "u8:300"], b"").1,
            Err(FrameCliError::BadField { .. })
        ));
    }
}
