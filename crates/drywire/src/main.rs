//! The `drywire` command.

fn main() {}
