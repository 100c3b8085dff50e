//! `drybox inspect`: what is in a capture (`docs/spec/outputs.md`, section 8).

mod filter;
mod list;
mod pcapng;
mod stats;

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Write},
    path::PathBuf,
};

use clap::Args;
use drybox::{
    ExitCode,
    output::read::{CaptureError, CaptureReader},
};

pub use filter::{DirectionArg, EventArg, FilterArgs, LayerArg};

/// Looks into a capture: lists its records, selects among them, counts them, exports them.
#[derive(Debug, Clone, Args)]
pub struct InspectArgs {
    /// The capture (capture.dbxcap)
    pub capture: PathBuf,

    /// Which records
    #[command(flatten)]
    pub filter: FilterArgs,

    /// Show the data of each record in hex
    #[arg(long)]
    pub hex: bool,

    /// Show numbers, bytes, rates and sizes instead of records
    #[arg(long, conflicts_with = "hex")]
    pub stats: bool,

    /// Write the records to a pcapng file (link type USER0, 147) instead of listing them
    #[arg(long, value_name = "FILE", conflicts_with_all = ["hex", "stats"])]
    pub pcapng: Option<PathBuf>,

    /// Print JSON: an object per record and line, or one object for --stats and --pcapng
    #[arg(long)]
    pub json: bool,
}

/// Why an inspection failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The capture cannot be opened.
    #[error("cannot open {}: {cause}", path.display())]
    Open {
        /// The capture.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The capture cannot be read to its end; what stands before was shown.
    #[error("{}: {cause}", path.display())]
    Capture {
        /// The capture.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: CaptureError,
    },
    /// The export cannot be written.
    #[error("cannot write {}: {cause}", path.display())]
    Export {
        /// The pcapng file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The result cannot be printed.
    #[error("cannot print the result: {0}")]
    Print(#[source] io::Error),
}

impl InspectError {
    /// 4 when the capture is at fault, 1 when writing is.
    pub const fn exit(&self) -> ExitCode {
        match self {
            Self::Open { .. } | Self::Capture { .. } => ExitCode::Invalid,
            Self::Export { .. } | Self::Print(_) => ExitCode::OurFault,
        }
    }
}

/// Runs the command; a reader of `out` that has seen enough (a closed pipe) is not an error.
pub fn run(args: &InspectArgs, out: &mut dyn Write) -> Result<(), InspectError> {
    let file = File::open(&args.capture).map_err(|cause| InspectError::Open {
        path: args.capture.clone(),
        cause,
    })?;
    let result = inspect(args, BufReader::with_capacity(64 * 1024, file), out);
    match result {
        Err(InspectError::Print(cause)) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn inspect(
    args: &InspectArgs,
    source: impl io::Read,
    out: &mut dyn Write,
) -> Result<(), InspectError> {
    let mut out = BufWriter::new(out);
    let bad = |cause| InspectError::Capture {
        path: args.capture.clone(),
        cause,
    };
    let mut reader = CaptureReader::new(source).map_err(bad)?;
    let mut view = View::new(args)?;
    let mut left = args.filter.limit.unwrap_or(u64::MAX);
    // What stands before a bad record is shown in full, then the error is reported.
    let end = loop {
        if left == 0 {
            break Ok(());
        }
        match reader.next_record() {
            Ok(Some(record)) if args.filter.selects(&record) => {
                left -= 1;
                view.record(args, &record, &mut out)?;
            }
            Ok(Some(_)) => {}
            Ok(None) => break Ok(()),
            Err(cause) => break Err(bad(cause)),
        }
    };
    view.end(args, &mut out)?;
    out.flush().map_err(InspectError::Print)?;
    end
}

/// What is made of the records.
enum View {
    List,
    Stats(Box<stats::Stats>),
    Export(PathBuf, pcapng::Export<BufWriter<File>>),
}

impl View {
    fn new(args: &InspectArgs) -> Result<Self, InspectError> {
        if args.stats {
            return Ok(Self::Stats(Box::default()));
        }
        let Some(path) = &args.pcapng else {
            return Ok(Self::List);
        };
        File::create(path)
            .and_then(|file| pcapng::Export::new(BufWriter::new(file)))
            .map(|export| Self::Export(path.clone(), export))
            .map_err(|cause| InspectError::Export {
                path: path.clone(),
                cause,
            })
    }

    fn record(
        &mut self,
        args: &InspectArgs,
        record: &drybox::output::read::Record<'_>,
        out: &mut impl Write,
    ) -> Result<(), InspectError> {
        match self {
            Self::List if args.json => list::json(record, args.hex, out),
            Self::List => list::text(record, args.hex, out),
            Self::Stats(stats) => {
                stats.add(record);
                Ok(())
            }
            Self::Export(path, export) => {
                return export.add(record).map_err(|cause| InspectError::Export {
                    path: path.clone(),
                    cause,
                });
            }
        }
        .map_err(InspectError::Print)
    }

    fn end(self, args: &InspectArgs, out: &mut impl Write) -> Result<(), InspectError> {
        match self {
            Self::List => Ok(()),
            Self::Stats(stats) if args.json => writeln!(out, "{:#}", stats.to_json()),
            Self::Stats(stats) => stats.print(out),
            Self::Export(path, export) => {
                let records = export.finish().map_err(|cause| InspectError::Export {
                    path: path.clone(),
                    cause,
                })?;
                if args.json {
                    writeln!(out, "{}", serde_json::json!({ "records": records }))
                } else {
                    writeln!(out, "{records} records written to {}", path.display())
                }
            }
        }
        .map_err(InspectError::Print)
    }
}

#[cfg(test)]
mod tests;
