//! The one entry for every development task.

fn main() {}
