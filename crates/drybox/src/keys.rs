//! Key material for adapters (`docs/spec/keys.md`).

/// The forms of an adapter spec that outputs and keys depend on.
pub struct SpecForm;

impl SpecForm {
    /// The normal form: file name and class without the folder; anything else as written.
    pub fn normal(spec: &str) -> String {
        if spec.starts_with("cmd:") || spec.starts_with("native:") {
            return spec.to_owned();
        }
        let (file, class) = split_class(spec);
        if !file.ends_with(".py") {
            return spec.to_owned();
        }
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        format!("{name}:{}", class.unwrap_or("Adapter"))
    }

    /// The spec as outputs show it: the normal form when it holds an absolute path, else as written.
    pub fn shown(spec: &str) -> String {
        let absolute = spec.starts_with(['/', '\\', '~'])
            || spec
                .as_bytes()
                .get(1..3)
                .is_some_and(|s| s == b":\\" || s == b":/");
        if absolute {
            Self::normal(spec)
        } else {
            spec.to_owned()
        }
    }
}

/// Parts a spec at its last colon, unless that belongs to a drive letter.
fn split_class(spec: &str) -> (&str, Option<&str>) {
    match spec.rsplit_once(':') {
        Some((file, class)) if !class.contains(['/', '\\']) => (file, Some(class)),
        _ => (spec, None),
    }
}
