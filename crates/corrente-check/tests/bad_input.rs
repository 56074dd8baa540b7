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

#[test]
fn what_is_made_of_itself_ends() {
    for text in [
        "rows = []\nfor test in (a, b):\n    rows = filter(test, rows)\nlist(rows)\n",
        "def f(x): return x\nrows = []\nwhile rows:\n    rows = map(f, rows)\nsum(rows)\n",
        "from asgiref.sync import sync_to_async\nclass A:\n    def __init__(self):\n        self.f = sync_to_async(self.f)\n    def f(self): pass\nA().f()\n",
        "from contextlib import contextmanager\n@contextmanager\ndef m(): yield\ndef f(): pass\nfor _ in range(2): f = m()(f)\nf()\n",
        "from functools import partial\ndef f(g): g()\nfor _ in range(2): f = partial(f, f)\nf()\n",
        "class D: pass\nD.__get__ = D()\nclass A: x = D()\nA().x\n",
        "class A: pass\nA.__call__ = A()\nA()()\n",
        "class A: pass\nA.__iter__ = A()\nfor x in A(): x()\n",
        "p = 1\nfor _ in range(2): p = property(p)\nclass A: x = p\nA().x\n",
        "def f(): pass\nfor _ in range(2): f = staticmethod(f)\nf()\n",
    ] {
        goes_on(text);
    }
}

/// Thirty lines.
fn thirty(line: impl Fn(u32) -> String) -> String {
    let lines: Vec<String> = (0..30).map(line).collect();
    lines.concat()
}

#[test]
fn many_that_are_made_of_one_another_end() {
    let functions = thirty(|number| format!("def f{number}(x): return x\n"));
    let filters = thirty(|number| format!("    rows = filter(f{number}, rows)\n"));
    goes_on(&format!(
        "{functions}rows = []\nwhile rows:\n{filters}list(rows)\n"
    ));
    let wrapped = thirty(|number| format!("    f = sync_to_async(f if f{number} else g)\n"));
    goes_on(&format!(
        "from asgiref.sync import sync_to_async\ndef g(): pass\nf = g\nwhile f:\n{wrapped}f()\n"
    ));
}
