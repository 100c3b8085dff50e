//! The `drybox` commands (`drywire box …`).

pub mod inspect;
