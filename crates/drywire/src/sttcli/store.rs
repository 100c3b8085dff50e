//! `drywire store`: objects by their hash in a sealed folder (`docs/spec/stt-commands.md` 5).

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use clap::{Args, Subcommand};
use futures_util::StreamExt;
use serde_json::json;
use stt::{
    SystemEnvironment,
    crypto::secret::Seed,
    store::{Address, Backend, BinaryStorage, StorageOptions, Stored},
};
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
};

use super::{
    error::{Exit, SttCliError},
    line::eprintln_line,
    seed::{SeedError, SharedSeed},
};

/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// Arguments of `drywire store`.
#[derive(Args, Debug)]
pub struct StoreArgs {
    #[command(subcommand)]
    command: StoreCommand,
    /// The store's folder
    #[arg(long, default_value = ".storage", global = true)]
    dir: PathBuf,
    #[command(flatten)]
    seed: SharedSeed,
    /// Print results as JSON, an object a line
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    /// Store files; prints their addresses
    Put {
        /// The files; - is standard input
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Write an object to standard output or to a file
    Get {
        /// Its address
        #[arg(value_parser = address)]
        address: Address,
        /// The file, which takes its name once all of it was authentic
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// List all objects: address and size
    Ls,
    /// Remove objects
    Rm {
        /// Their addresses
        #[arg(required = true, value_parser = address)]
        addresses: Vec<Address>,
    },
    /// Read objects and compute their hashes again
    Verify {
        /// Their addresses; without any, all objects
        #[arg(value_parser = address)]
        addresses: Vec<Address>,
    },
    /// Count objects and bytes
    Stats,
}

fn address(text: &str) -> Result<Address, String> {
    text.parse().map_err(|error| format!("{error}"))
}

pub(super) async fn run(args: &StoreArgs, out: &mut (dyn Write + Send)) -> Result<(), SttCliError> {
    let seed = Seed::new(&args.seed.read()?).map_err(|_| SeedError::Empty {
        place: "its source".to_owned(),
    })?;
    if !matches!(args.command, StoreCommand::Put { .. }) && !args.dir.is_dir() {
        let why = "no store is here: name its folder with --dir, or put something";
        let cause = io::Error::new(io::ErrorKind::NotFound, why);
        return Err(SttCliError::file(&args.dir)(cause));
    }
    let storage = BinaryStorage::open(
        Backend::folder(&args.dir)?,
        seed.storage_key(),
        Arc::new(SystemEnvironment),
        StorageOptions::default(),
    )
    .await?;
    let mut out = Output {
        out,
        json: args.json,
    };
    match &args.command {
        StoreCommand::Put { files } => put(&storage, files, &mut out).await,
        StoreCommand::Get { address, out: None } => get(&storage, address, &mut out).await,
        StoreCommand::Get {
            address,
            out: Some(file),
        } => get_file(&storage, address, file).await,
        StoreCommand::Ls => ls(&storage, &mut out).await,
        StoreCommand::Rm { addresses } => rm(&storage, addresses).await,
        StoreCommand::Verify { addresses } => verify(&storage, addresses, &mut out).await,
        StoreCommand::Stats => {
            let stats = storage.stats().await?;
            out.line(
                &format!(
                    "{} objects, {} bytes on the disk",
                    stats.objects, stats.bytes
                ),
                &json!({"objects": stats.objects, "blobs": stats.blobs, "bytes": stats.bytes}),
            )
        }
    }
}

/// Lines for people or for machines.
struct Output<'a> {
    out: &'a mut (dyn Write + Send),
    json: bool,
}

impl Output<'_> {
    fn line(&mut self, text: &str, object: &serde_json::Value) -> Result<(), SttCliError> {
        let written = if self.json {
            writeln!(self.out, "{object}")
        } else {
            writeln!(self.out, "{text}")
        };
        written.map_err(SttCliError::io("writing standard output"))
    }
}

async fn put(
    storage: &BinaryStorage,
    files: &[PathBuf],
    out: &mut Output<'_>,
) -> Result<(), SttCliError> {
    for path in files {
        let stored = if path.as_os_str() == "-" {
            put_from(storage, tokio::io::stdin(), Path::new("standard input")).await?
        } else {
            let file = File::open(path).await.map_err(SttCliError::file(path))?;
            put_from(storage, file, path).await?
        };
        let Stored { address, size, new } = stored;
        out.line(
            &format!("{address}  {}", path.display()),
            &json!({"address": address.to_string(), "bytes": size, "new": new, "file": path.display().to_string()}),
        )?;
    }
    Ok(())
}

async fn put_from(
    storage: &BinaryStorage,
    mut from: impl AsyncRead + Unpin,
    path: &Path,
) -> Result<Stored, SttCliError> {
    let mut writer = storage.writer();
    loop {
        let mut chunk = vec![0; CHUNK];
        let read = from
            .read(&mut chunk)
            .await
            .map_err(SttCliError::file(path))?;
        if read == 0 {
            return Ok(writer.finish().await?);
        }
        chunk.truncate(read);
        writer.write(Bytes::from(chunk)).await?;
    }
}

async fn get(
    storage: &BinaryStorage,
    address: &Address,
    out: &mut Output<'_>,
) -> Result<(), SttCliError> {
    let mut reader = storage.reader(address).await?;
    while let Some(piece) = reader.next().await? {
        out.out
            .write_all(&piece)
            .map_err(SttCliError::io("writing standard output"))?;
    }
    Ok(())
}

async fn get_file(
    storage: &BinaryStorage,
    address: &Address,
    path: &Path,
) -> Result<(), SttCliError> {
    let mut reader = storage.reader(address).await?;
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let taken = || {
        let path = path.display();
        SttCliError::Usage(format!("{path} is there already: choose another name"))
    };
    if path.symlink_metadata().is_ok() {
        return Err(taken());
    }
    let mut file = match File::create_new(&part).await {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(SttCliError::Usage(format!(
                "{} is there, of another get that runs or was killed: remove it, or choose another name",
                part.display()
            )));
        }
        made => made.map_err(SttCliError::file(&part))?,
    };
    let part = Part(part);
    let in_part = |cause| SttCliError::file(&part.0)(cause);
    while let Some(piece) = reader.next().await? {
        file.write_all(&piece).await.map_err(in_part)?;
    }
    file.flush().await.map_err(in_part)?;
    file.sync_all().await.map_err(in_part)?;
    match std::fs::hard_link(&part.0, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(taken()),
        linked => linked.map_err(SttCliError::file(path)),
    }
}

/// A file on its way; removed in any case, also if the command is interrupted.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        // What can't be removed is told by the next command that needs the name.
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn ls(storage: &BinaryStorage, out: &mut Output<'_>) -> Result<(), SttCliError> {
    let mut entries = std::pin::pin!(storage.list());
    let (mut failed, mut all, mut exit) = (0, 0, Exit::Done);
    while let Some(entry) = entries.next().await {
        all += 1;
        match entry {
            Ok(entry) => out.line(
                &format!("{}  {}", entry.address, entry.size),
                &json!({"address": entry.address.to_string(), "bytes": entry.size}),
            )?,
            Err(error) => {
                let error = SttCliError::from(error);
                eprintln_line(&format!("error: {error}"));
                failed += 1;
                exit = error.exit();
            }
        }
    }
    some(failed, all, exit)
}

async fn rm(storage: &BinaryStorage, addresses: &[Address]) -> Result<(), SttCliError> {
    let mut missing = 0;
    for address in addresses {
        if !storage.remove(address).await? {
            eprintln_line(&format!("error: no object {address} is stored here"));
            missing += 1;
        }
    }
    some(missing, addresses.len(), Exit::Data)
}

async fn verify(
    storage: &BinaryStorage,
    named: &[Address],
    out: &mut Output<'_>,
) -> Result<(), SttCliError> {
    let mut addresses = named.to_vec();
    let (mut failed, mut all, mut exit) = (0, 0, Exit::Done);
    let mut tell = |error: SttCliError| {
        eprintln_line(&format!("error: {error}"));
        failed += 1;
        if exit == Exit::Done {
            exit = error.exit();
        }
    };
    if named.is_empty() {
        let mut entries = std::pin::pin!(storage.list());
        while let Some(entry) = entries.next().await {
            match entry {
                Ok(entry) => addresses.push(entry.address),
                Err(error) => {
                    all += 1;
                    tell(error.into());
                }
            }
        }
    }
    all += addresses.len();
    for address in &addresses {
        match storage.verify(address).await {
            Ok(size) => out.line(
                &format!("{address}  ok"),
                &json!({"address": address.to_string(), "bytes": size, "ok": true}),
            )?,
            Err(error) => tell(error.into()),
        }
    }
    some(failed, all, exit)
}

fn some(failed: usize, all: usize, exit: Exit) -> Result<(), SttCliError> {
    match failed {
        0 => Ok(()),
        failed => Err(SttCliError::Some { failed, all, exit }),
    }
}
