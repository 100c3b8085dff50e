//! `drywire completion` and `drywire man`.

use std::io::{self, Write};

use clap::{Args, Command};
use clap_complete::Shell;

/// Arguments of `drywire completion`.
#[derive(Args, Debug)]
pub struct CompletionArgs {
    /// The shell to complete for
    shell: Shell,
}

/// Arguments of `drywire man`.
#[derive(Args, Debug)]
pub struct ManArgs {
    /// The command whose page is written, `box run` for instance; without one, that of drywire
    command: Vec<String>,
}

/// Writes a shell's completion script.
pub fn completion(args: &CompletionArgs, mut command: Command, out: &mut dyn Write) {
    let name = command.get_name().to_owned();
    clap_complete::generate(args.shell, &mut command, name, &mut &mut *out);
}

/// Writes a manual page in roff.
///
/// # Errors
/// There is no such command, or the output can't be written.
pub fn man(args: &ManArgs, command: Command, out: &mut dyn Write) -> io::Result<()> {
    let mut command = command;
    command.build();
    let mut name = command.get_name().to_owned();
    for part in &args.command {
        let found = command.find_subcommand(part).cloned();
        command = found.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("there is no command {name} {part}"),
            )
        })?;
        name = format!("{name}-{part}");
    }
    clap_mangen::Man::new(command.display_name(name)).render(&mut &mut *out)
}
