//! Which names a receiver writes to, and what their parts are called
//! (`docs/spec/stt-commands.md` 4.3, 4.5).

use std::borrow::Cow;

use aws_lc_rs::digest::{SHA3_256, digest};

/// Longest name, bytes.
const MAX_NAME: usize = 255;
/// Bytes of a longer name that are kept in its part's.
const MAX_STEM: usize = 180;
/// What the name of a part ends with.
pub(super) const PART: &str = ".part";
/// What the name of a part's state ends with.
pub(super) const STATE: &str = ".part.stt";

/// Refuses a name that leads elsewhere, or that is another file's part.
pub(super) fn check(name: &str) -> Result<(), String> {
    if name.ends_with(PART) || name.ends_with(STATE) {
        return Err(format!(
            "{name:?} ends as the receiver's own parts of files do: rename it"
        ));
    }
    if is_plain(name) && !(cfg!(windows) && is_special_on_windows(name)) {
        Ok(())
    } else {
        Err(format!("{name:?} is no name that this receiver writes to"))
    }
}

fn is_plain(name: &str) -> bool {
    let is_bad = |c: char| c.is_control() || matches!(c, '/' | '\\');
    !(name.is_empty()
        || matches!(name, "." | "..")
        || name.len() > MAX_NAME
        || name.contains(is_bad))
}

/// Whether Windows would take the name for a device, a stream of another file, or another name.
fn is_special_on_windows(name: &str) -> bool {
    let device = name.split('.').next().unwrap_or(name).trim_end();
    let device = device.to_ascii_uppercase();
    let is_numbered = ["COM", "LPT"].iter().any(|port| {
        device.strip_prefix(port).is_some_and(|number| {
            let mut chars = number.chars();
            matches!(
                (chars.next(), chars.next()),
                (Some('0'..='9' | '¹' | '²' | '³'), None)
            )
        })
    });
    is_numbered
        || matches!(
            &*device,
            "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$"
        )
        || name.contains(['<', '>', ':', '"', '|', '?', '*'])
        || name.ends_with([' ', '.'])
}

/// What the part of a file is called, without its suffix: as the file, if that is short enough.
pub(super) fn stem(name: &str) -> Cow<'_, str> {
    if name.len() + STATE.len() <= MAX_NAME {
        return Cow::Borrowed(name);
    }
    let hash = digest(&SHA3_256, name.as_bytes());
    let start = &name[..name.floor_char_boundary(MAX_STEM)];
    let tells = hash
        .as_ref()
        .first_chunk()
        .copied()
        .map_or(0, u128::from_be_bytes);
    Cow::Owned(format!("{start}~{tells:032x}"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Names that no receiver takes.
    pub(in super::super) fn refused() -> Vec<String> {
        let long = "n".repeat(256);
        let names = [
            "",
            ".",
            "..",
            "a/b",
            "a\\b",
            "a\0",
            "a\n",
            "\u{1b}[2J",
            "\u{9b}",
            "x.part",
            "x.part.stt",
            &long,
        ];
        names.map(str::to_owned).into()
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in refused() {
            check(&name).unwrap_err();
        }
        for name in [
            "a",
            "-rf",
            "...",
            " ",
            "CON",
            "x.part.gz",
            "ü",
            &"n".repeat(255),
        ] {
            check(name).unwrap();
        }
    }

    #[test]
    fn windows_has_names_of_its_own() {
        for name in [
            "con", "NUL.txt", "com1", "LPT³.x", "aux ", "conin$", "a:b", "what?", "a.", "a ",
        ] {
            assert!(is_special_on_windows(name), "{name}");
        }
        for name in ["console", "com", "com10", "a.con", "nul_", "a b"] {
            assert!(!is_special_on_windows(name), "{name}");
        }
    }

    #[test]
    fn parts_of_long_names_fit_and_differ() {
        assert_eq!(stem("a"), "a");
        assert_eq!(stem(&"n".repeat(246)), "n".repeat(246));
        let long = ["n".repeat(247), "n".repeat(255), "ü".repeat(127)];
        let stems = long.each_ref().map(|name| stem(name).into_owned());
        for stem in &stems {
            assert!(stem.len() + STATE.len() <= MAX_NAME, "{stem}");
        }
        assert!(
            stems[0] != stems[1] && stems[2].starts_with("ü"),
            "{stems:?}"
        );
    }
}
