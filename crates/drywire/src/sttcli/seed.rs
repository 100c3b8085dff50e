//! Where seeds come from (`docs/spec/stt-commands.md` 1).

use std::{
    fs::File,
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
};

use clap::Args;
use zeroize::Zeroizing;

use super::error::Exit;

/// Variable with the shared seed.
pub(super) const SEED_VARIABLE: &str = "DRYWIRE_SEED";
/// Variable with the node's own seed.
pub(super) const NODE_SEED_VARIABLE: &str = "DRYWIRE_NODE_SEED";
/// What seeds in hexadecimal begin with.
pub(super) const PREFIX: &str = "stt-seed:";
/// Longest text of a seed, bytes.
const MAX_TEXT: u64 = 4_096;

/// A seed's bytes, wiped when dropped.
pub(super) type SeedBytes = Zeroizing<Vec<u8>>;

/// The seed that storage or peers share.
#[derive(Args, Debug)]
pub(super) struct SharedSeed {
    /// Read the shared seed from this file; else from DRYWIRE_SEED, else it is asked for
    #[arg(long, value_name = "FILE", global = true)]
    seed_file: Option<PathBuf>,
}

/// The seed that is a node's identity.
#[derive(Args, Debug)]
pub(super) struct NodeSeed {
    /// Read this node's own seed from this file, so that its node id stays the same; else from
    /// DRYWIRE_NODE_SEED, else a new one is drawn
    #[arg(long, value_name = "FILE")]
    node_seed: Option<PathBuf>,
}

/// Why there is no seed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeedError {
    /// Nothing names one.
    #[error(
        "no seed: name a file with --seed-file, or set {SEED_VARIABLE}; `drywire keygen FILE` makes one"
    )]
    Missing,
    /// The text has no bytes.
    #[error("the seed from {place} is empty: `drywire keygen FILE` makes one")]
    Empty {
        /// Where it came from.
        place: String,
    },
    /// Too long to be one.
    #[error("the seed from {place} is longer than {MAX_TEXT} bytes: is it the right file?")]
    TooLong {
        /// Where it came from.
        place: String,
    },
    /// No hexadecimal behind the prefix.
    #[error(
        "the seed from {place} begins with {PREFIX} and goes on with something else than pairs of hexadecimal digits"
    )]
    NotHex {
        /// Where it came from.
        place: String,
    },
    /// Others may read it.
    #[error("{} can be read or written by others: chmod 600 {}", path.display(), path.display())]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// The system says no.
    #[error("reading the seed from {place}: {cause}")]
    Read {
        /// Where from.
        place: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The system gives no randomness.
    #[error("the system gives no randomness: {0}")]
    NoRandomness(getrandom::Error),
}

impl SeedError {
    pub(super) const fn exit(&self) -> Exit {
        match self {
            Self::NoRandomness(_) => Exit::Machine,
            _ => Exit::Usage,
        }
    }
}

impl SharedSeed {
    /// The seed, from the file, the environment or a prompt.
    pub(super) fn read(&self) -> Result<SeedBytes, SeedError> {
        if let Some(path) = &self.seed_file {
            return from_file(path);
        }
        if let Some(seed) = from_environment(SEED_VARIABLE)? {
            return Ok(seed);
        }
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return Err(SeedError::Missing);
        }
        let place = "the prompt";
        let text =
            rpassword::prompt_password("shared seed: ").map_err(|cause| SeedError::Read {
                place: place.to_owned(),
                cause,
            })?;
        parse(Zeroizing::new(text.into_bytes()), place)
    }
}

impl NodeSeed {
    /// The seed, from the file, the environment or the system's generator.
    pub(super) fn read(&self) -> Result<SeedBytes, SeedError> {
        if let Some(path) = &self.node_seed {
            return from_file(path);
        }
        match from_environment(NODE_SEED_VARIABLE)? {
            Some(seed) => Ok(seed),
            None => draw(),
        }
    }
}

/// 32 bytes from the system.
pub(super) fn draw() -> Result<SeedBytes, SeedError> {
    let mut seed = Zeroizing::new(vec![0; 32]);
    getrandom::fill(&mut seed).map_err(SeedError::NoRandomness)?;
    Ok(seed)
}

fn from_environment(variable: &str) -> Result<Option<SeedBytes>, SeedError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the edge: where settings come in"
    )]
    let value = std::env::var_os(variable);
    value
        .map(|text| parse(Zeroizing::new(text.into_encoded_bytes()), variable))
        .transpose()
}

fn from_file(path: &Path) -> Result<SeedBytes, SeedError> {
    let place = path.display().to_string();
    let failed = |cause| SeedError::Read {
        place: path.display().to_string(),
        cause,
    };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if is_open_to_others(&metadata) {
        return Err(SeedError::Open { path: path.into() });
    }
    // Room for all of it at once: a growing vector would leave copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_TEXT as usize + 1));
    file.take(MAX_TEXT + 1)
        .read_to_end(&mut text)
        .map_err(failed)?;
    parse(text, &place)
}

#[cfg(unix)]
fn is_open_to_others(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.is_file() && metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &std::fs::Metadata) -> bool {
    false
}

/// The bytes that a text stands for.
fn parse(text: Zeroizing<Vec<u8>>, place: &str) -> Result<SeedBytes, SeedError> {
    let place = || place.to_owned();
    if text.len() as u64 > MAX_TEXT {
        return Err(SeedError::TooLong { place: place() });
    }
    let line = text.strip_suffix(b"\n").unwrap_or(&text);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let seed = match line.strip_prefix(PREFIX.as_bytes()) {
        Some(digits) => from_hex(digits).ok_or_else(|| SeedError::NotHex { place: place() })?,
        None => Zeroizing::new(line.to_vec()),
    };
    if seed.is_empty() {
        return Err(SeedError::Empty { place: place() });
    }
    Ok(seed)
}

fn from_hex(digits: &[u8]) -> Option<SeedBytes> {
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    let mut seed = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for &[high, low] in pairs {
        let value = |digit: u8| char::from(digit).to_digit(16);
        seed.push((value(high)? << 4 | value(low)?) as u8);
    }
    Some(seed)
}

/// The text of a seed, with a line break.
pub(super) fn to_text(seed: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + 2 * seed.len() + 1));
    text.push_str(PREFIX);
    for byte in seed {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &[u8]) -> Result<Vec<u8>, String> {
        parse(Zeroizing::new(text.to_vec()), "here")
            .map(|seed| seed.to_vec())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_keygen_writes_is_read_back() {
        let seed: Vec<u8> = (0..=255).collect();
        assert_eq!(parsed(to_text(&seed).as_bytes()), Ok(seed));
    }

    #[test]
    fn other_texts_are_seeds_as_they_are() {
        assert_eq!(parsed(b"correct horse\r\n"), Ok(b"correct horse".to_vec()));
        assert_eq!(parsed(b"\n\n"), Ok(b"\n".to_vec()));
        assert_eq!(parsed(b"0011"), Ok(b"0011".to_vec()));
    }

    #[test]
    fn texts_that_are_no_seed_are_refused_and_never_repeated() {
        for text in [
            &b"stt-seed:secret"[..],
            b"stt-seed:0",
            b"stt-seed:0g",
            b"stt-seed:00 ",
        ] {
            let error = parsed(text).unwrap_err();
            assert!(
                error.contains("hexadecimal") && !error.contains("secret"),
                "{error}"
            );
        }
        for text in [&b""[..], b"\n", b"stt-seed:", b"stt-seed:\n"] {
            assert!(parsed(text).unwrap_err().contains("empty"));
        }
        assert!(parsed(&vec![b'a'; 4_097]).unwrap_err().contains("longer"));
    }
}
