//! What a sidecar process is started from (`docs/spec/sidecar.md`, sections 1 and 6).

use std::process::Command;

use drybox::adapter::AdapterFault;

use crate::adapters::{PYTHON_ENTROPY, PYTHON_HOST};

/// What begins a line about a clock or an unseeded random source that an adapter used.
pub const ENTROPY_PREFIX: &str = "drybox-entropy: ";

/// The sidecar host, sent to the interpreter after the loader.
const SERVE: &str = include_str!("serve.py");

/// Reads the loader, the host and perhaps the noter of entropy from stdin, by the lengths given as
/// arguments, and runs them: no file needs to
/// be installed or written. The protocol follows on the same pipe.
const BOOT: &str = "\
import os, sys, types

def source(size):
    data = b''
    while len(data) < size:
        part = os.read(0, size - len(data))
        if not part:
            sys.exit('drybox host: the input ended early')
        data += part
    return compile(data, '<drybox host>', 'exec')

sizes = [int(size) for size in sys.argv[1:]]
sys.argv[:] = ['drybox-host']
module = sys.modules['drybox_host'] = types.ModuleType('drybox_host')
exec(source(sizes[0]), module.__dict__)
serve = source(sizes[1])
if len(sizes) > 2:
    entropy = types.ModuleType('drybox_entropy')
    exec(source(sizes[2]), entropy.__dict__)
    entropy.watch(True)
exec(serve, {'__name__': 'drybox_host.serve'})
if len(sizes) > 2:
    for use in entropy.take():
        print('drybox-entropy: ' + use, file=sys.stderr, flush=True)
";

/// How a sidecar comes to life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Launch {
    /// The bundled host in a Python interpreter.
    Python {
        /// The program.
        interpreter: String,
        /// Whether uses of clocks and unseeded random sources are noted.
        watch_entropy: bool,
    },
    /// A program of the user's: the words of a `cmd:` spec.
    Command(Vec<String>),
}

impl Launch {
    /// From the part of a spec after `cmd:`.
    pub(super) fn from_command_line(line: &str) -> Result<Self, AdapterFault> {
        let words = split(line).map_err(|what| {
            AdapterFault::Load(format!("cmd:{line}: {what} in the command line"))
        })?;
        if words.is_empty() {
            return Err(AdapterFault::Load("cmd: names no program".to_owned()));
        }
        Ok(Self::Command(words))
    }

    /// The command to spawn, and what to write to it before the protocol begins.
    pub(super) fn command(&self) -> (Command, Vec<u8>) {
        match self {
            Self::Python {
                interpreter,
                watch_entropy,
            } => {
                let mut sources = vec![PYTHON_HOST, SERVE];
                if *watch_entropy {
                    sources.push(PYTHON_ENTROPY);
                }
                let mut command = Command::new(interpreter);
                command
                    .args(["-c", BOOT])
                    .args(sources.iter().map(|source| source.len().to_string()))
                    // The order of sets of strings must not differ from run to run.
                    .env("PYTHONHASHSEED", "0");
                (command, sources.concat().into_bytes())
            }
            Self::Command(words) => {
                let mut command = Command::new(&words[0]);
                command.args(&words[1..]);
                (command, Vec::new())
            }
        }
    }

    /// How messages name the process.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Python { interpreter, .. } => format!("the Python host ({interpreter})"),
            Self::Command(words) => format!("the sidecar `{}`", words.join(" ")),
        }
    }
}

/// Splits a command line into words as a POSIX shell would, and does nothing else that a shell does:
/// blanks separate; within single quotes everything is itself; within double quotes a backslash
/// makes `"` and `\` themselves; outside quotes it makes any character itself.
fn split(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err("unclosed '"),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => match chars.next() {
                            Some(c @ ('"' | '\\')) => word.push(c),
                            Some(c) => word.extend(['\\', c]),
                            None => return Err("unclosed \""),
                        },
                        Some(c) => word.push(c),
                        None => return Err("unclosed \""),
                    }
                }
            }
            '\\' => word
                .get_or_insert_default()
                .push(chars.next().ok_or("nothing after the last backslash")?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_are_split_as_documented() {
        for (line, expected) in [
            ("prog a  b", &["prog", "a", "b"][..]),
            ("'my prog' \"a b\"c ''", &["my prog", "a bc", ""]),
            (r#"p "\"\\\n" '\' \ x"#, &["p", "\"\\\\n", "\\", " x"]),
            ("  ", &[]),
            ("a$HOME;b|c", &["a$HOME;b|c"]),
        ] {
            assert_eq!(split(line).unwrap(), expected, "{line}");
        }
        for line in ["'a", "\"a", "\"a\\", "a\\"] {
            assert!(split(line).is_err(), "{line}");
        }
    }
}
