//! Input that is no good Python: the analyser neither fails nor hangs, and says what it could not read.

use corrente_check::{Catalogue, Report, Source, check};

fn report(text: &str) -> Report {
    let good = "import time\nasync def main():\n    time.sleep(1)\n";
    let sources = [("good.py", good), ("bad.py", text)].map(|(path, text)| Source {
        path: path.to_owned(),
        module: None,
        text: text.to_owned(),
    });
    let catalogue = Catalogue::built_in().expect("the catalogue is sound");
    check(&sources, &catalogue, 1)
}

/// The good file's finding is told, whatever stands beside it.
fn goes_on(text: &str) -> Report {
    let report = report(text);
    assert_eq!(report.findings.len(), 1, "{text:.60}");
    report
}

#[test]
fn deep_nesting_is_followed_as_far_as_it_goes() {
    goes_on(&format!(
        "x = {}{}\n",
        "f(".repeat(20_000),
        ")".repeat(20_000)
    ));
    goes_on(&format!(
        "x = {}1{}\n",
        "(".repeat(20_000),
        ")".repeat(20_000)
    ));
    goes_on(&format!("x = {}\n", vec!["1"; 50_000].join(" + ")));
    goes_on(&format!("x = a{}\n", ".b".repeat(20_000)));
}

#[test]
fn what_is_nested_too_deep_is_told_once() {
    let report = goes_on(&format!(
        "x = a{}\ny = b{}\n",
        ".g()".repeat(5_000),
        ".h()".repeat(5_000)
    ));
    let told: Vec<_> = report.faults.iter().map(|fault| &*fault.message).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("deep"), "{told:?}");
}

#[test]
fn what_does_not_parse_is_told() {
    for text in [
        "print 'python 2'\n",
        "x = 1\0\n",
        "def f(:\n",
        "\u{1}\u{2}\u{3}",
    ] {
        let report = goes_on(text);
        assert!(!report.faults.is_empty(), "{text:?}");
        for fault in &report.faults {
            assert_eq!(fault.place.path, "bad.py");
            assert!(
                !fault.message.chars().any(char::is_control),
                "{:?}",
                fault.message
            );
        }
    }
}

#[test]
fn a_broken_function_does_not_hide_its_neighbours() {
    let report = report("import time\ndef f(:\n    pass\nasync def g():\n    time.sleep(1)\n");
    assert_eq!(report.findings.len(), 2);
}

#[test]
fn an_import_of_itself_ends() {
    goes_on(
        "from bad import *\nfrom . import bad\nimport bad\nx = bad.bad.bad\nclass A(A): pass\n",
    );
}
