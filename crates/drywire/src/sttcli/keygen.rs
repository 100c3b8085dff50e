//! `drywire keygen`: a new seed in a file of its owner alone (`docs/spec/stt-commands.md` 1.4).

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    path::PathBuf,
};

use clap::Args;
use serde_json::json;

use super::{
    error::SttCliError,
    seed::{draw, to_text},
};

/// Arguments of `drywire keygen`.
#[derive(Args, Debug)]
pub struct KeygenArgs {
    /// The new file; - for standard output
    file: PathBuf,
    /// Print what was made as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &KeygenArgs, out: &mut dyn Write) -> Result<(), SttCliError> {
    let seed = draw()?;
    let text = to_text(&seed);
    if args.file.as_os_str() == "-" {
        return out
            .write_all(text.as_bytes())
            .map_err(SttCliError::io("writing the seed"));
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = match options.open(&args.file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(SttCliError::Usage(format!(
                "{} is there already and may be in use: choose another name, or remove it first",
                args.file.display()
            )));
        }
        opened => opened.map_err(SttCliError::file(&args.file))?,
    };
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    if let Err(cause) = written {
        // Half a seed is none.
        let _ = std::fs::remove_file(&args.file);
        return Err(SttCliError::file(&args.file)(cause));
    }
    let said = if args.json {
        writeln!(
            out,
            "{}",
            json!({"file": args.file.display().to_string(), "bytes": seed.len()})
        )
    } else {
        writeln!(
            out,
            "{}: a seed of {} bytes. Copy it to the peer by a safe way; keep it secret.",
            args.file.display(),
            seed.len()
        )
    };
    said.map_err(SttCliError::io("writing the result"))
}
