//! Adapters that cannot be found, loaded or used.

use drybox::{Side, adapter::Callback, scenario::Mode};
use drywire::adapters::SidecarOptions;

use crate::bench::{Bench, fixture, options};

fn load_failure(spec: &str) -> String {
    let outcome = Bench::new(Mode::Byte).run(spec, "native:traffic");
    let (callback, message) = outcome.failure();
    assert_eq!(callback, Callback::Load, "{message}");
    assert_eq!(outcome.error.unwrap().side, Side::Left);
    message
}

#[test]
fn unknown_files_modules_classes_and_entry_points_are_named() {
    let incomplete = fixture("incomplete.py");
    for (spec, words) in [
        (
            "no/such/file.py",
            "cannot read no/such/file.py: No such file",
        ),
        ("no.such.module:Class", "there is no module no.such.module"),
        ("json:Nope", "json has no Nope"),
        (
            "entrypoint:nope",
            "no entry point 'nope' in group drybox.adapters",
        ),
        ("pkg:nope", "no entry point 'nope' in group drybox.adapters"),
        (
            "not a module",
            "'not a module' is neither a .py file nor a module name",
        ),
        (
            &format!("{incomplete}:Nope"),
            "incomplete.py has no Nope: it defines NoSink, NotADict, BadSize, Demanding, Deaf, Attribute",
        ),
        (&incomplete, "incomplete.py has no Adapter"),
    ] {
        let message = load_failure(spec);
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn an_adapter_that_does_not_load_shows_where() {
    let message = load_failure(&fixture("broken_syntax.py"));
    assert!(
        message.contains("SyntaxError: ") && message.contains("broken_syntax.py\", line 2"),
        "{message}"
    );
    let message = load_failure(&fixture("needs_missing.py"));
    assert!(
        message.contains("ModuleNotFoundError: No module named 'a_module_that_does_not_exist'")
            && message.contains("needs_missing.py\", line 1"),
        "{message}"
    );
}

#[test]
fn an_adapter_that_lacks_something_is_told_what() {
    for (class, words) in [
        (
            "NoSink",
            "the adapter announces bytelink but has no on_link_rx()",
        ),
        (
            "NotADict",
            "nade_capabilities() must return a dict, got list",
        ),
        (
            "BadSize",
            "sdu_max_bytes must be a whole number above 0, got -1",
        ),
        (
            "Demanding",
            "poll_link_tx() requires queue, which DryBox does not pass",
        ),
        ("Deaf", "on_link_rx() takes no argument"),
        ("Attribute", "on_timer is not callable but int"),
    ] {
        let message = load_failure(&format!("{}:{class}", fixture("incomplete.py")));
        assert!(message.ends_with(words), "{message}");
    }
}

#[test]
fn a_python_that_cannot_be_started_is_named() {
    let mut bench = Bench::new(Mode::Byte);
    bench.options = SidecarOptions {
        python: "/nonexistent/python".to_owned(),
        ..options()
    };
    let outcome = bench.run("adapter.py", "native:traffic");
    let (_, message) = outcome.failure();
    assert!(
        message.contains("cannot start the Python host (/nonexistent/python): No such file")
            && message.contains("DRYBOX_PYTHON"),
        "{message}"
    );
}

#[test]
fn bad_command_lines_are_refused() {
    for (spec, words) in [
        ("cmd:", "cmd: names no program"),
        ("cmd:prog 'x", "unclosed ' in the command line"),
    ] {
        let message = load_failure(spec);
        assert!(message.contains(words), "{message}");
    }
    let message = load_failure("cmd:/nonexistent/program --flag");
    assert!(
        message.contains("cannot start the sidecar `/nonexistent/program --flag`"),
        "{message}"
    );
}

#[test]
fn helpers_of_the_same_name_stay_with_their_adapter() {
    let folder = tempfile::tempdir().unwrap();
    let adapter = |name: &str| {
        let own = folder.path().join(name);
        std::fs::create_dir_all(own.join("parts")).unwrap();
        let code = "import helper\nfrom parts import inner\n\n\nclass Adapter:\n    \
            def start(self, ctx):\n        ctx.emit_event('mine', [helper.NAME, inner.NAME])\n\n    \
            def poll_link_tx(self, budget):\n        return []\n\n    \
            def on_link_rx(self, sdu):\n        pass\n";
        let said = format!("NAME = {name:?}\n");
        for (file, text) in [
            ("adapter.py", code),
            ("helper.py", &said),
            ("parts/__init__.py", ""),
            ("parts/inner.py", &said),
        ] {
            std::fs::write(own.join(file), text).unwrap();
        }
        own.join("adapter.py").display().to_string()
    };
    let outcome = Bench::new(Mode::Byte).run(&adapter("one"), &adapter("two"));
    assert_eq!(outcome.error, None);
    assert_eq!(
        outcome.payloads(Side::Left, "mine"),
        [&serde_json::json!(["one", "one"])]
    );
    assert_eq!(
        outcome.payloads(Side::Right, "mine"),
        [&serde_json::json!(["two", "two"])]
    );
}
