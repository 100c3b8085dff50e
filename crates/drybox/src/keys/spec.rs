//! The forms of an adapter spec (`docs/spec/keys.md`, section 3).

/// The form that keys depend on: of `folder/file.py:Class` the file's name and the class (`Adapter`
/// where none is given); anything else as written.
pub fn normal_form(spec: &str) -> String {
    if spec.starts_with("cmd:") || spec.starts_with("native:") {
        return spec.to_owned();
    }
    let (file, class) = split_class(spec);
    if !file.ends_with(".py") {
        return spec.to_owned();
    }
    format!("{}:{}", file_name(file), class.unwrap_or("Adapter"))
}

/// The form that outputs show: absolute paths become file names, since no output depends on the
/// machine; all else as written.
pub(crate) fn shown_form(spec: &str) -> String {
    if let Some(command) = spec.strip_prefix("cmd:") {
        let words = command.split(' ').map(|word| {
            if is_absolute(word) {
                file_name(word)
            } else {
                word
            }
        });
        return format!("cmd:{}", words.collect::<Vec<_>>().join(" "));
    }
    if is_absolute(spec) {
        file_name(&normal_form(spec)).to_owned()
    } else {
        spec.to_owned()
    }
}

fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '\\', '~'])
        || path
            .as_bytes()
            .get(1..3)
            .is_some_and(|rest| rest == b":\\" || rest == b":/")
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Parts a spec at its last colon, unless that belongs to a drive letter.
fn split_class(spec: &str) -> (&str, Option<&str>) {
    match spec.rsplit_once(':') {
        Some((file, class)) if !class.contains(['/', '\\']) => (file, Some(class)),
        _ => (spec, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_never_counts() {
        for (spec, normal, shown) in [
            ("a.py", "a.py:Adapter", "a.py"),
            ("x/a.py:B", "a.py:B", "x/a.py:B"),
            ("/tmp/x/a.py:B", "a.py:B", "a.py:B"),
            ("/tmp/x/a.py", "a.py:Adapter", "a.py:Adapter"),
            ("C:\\x\\a.py", "a.py:Adapter", "a.py:Adapter"),
            ("C:\\x\\a.py:B", "a.py:B", "a.py:B"),
            ("pkg.mod:B", "pkg.mod:B", "pkg.mod:B"),
            ("native:tone", "native:tone", "native:tone"),
            ("cmd:/usr/bin/x --y", "cmd:/usr/bin/x --y", "cmd:x --y"),
            ("cmd:./x.py", "cmd:./x.py", "cmd:./x.py"),
        ] {
            assert_eq!(normal_form(spec), normal, "{spec}");
            assert_eq!(shown_form(spec), shown, "{spec}");
        }
    }
}
