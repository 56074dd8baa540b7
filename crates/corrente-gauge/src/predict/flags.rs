//! A better setting in the words of the server that it is for, and what each server can be set to.
//!
//! Servers have their recorded names (`gunicorn sync`). It decides nothing: which setting is better is
//! the model's. A server that is not known here has no flags, and as many processes as one likes.

use corrente_report::prediction::Setting;

/// Servers that are one process, however many threads it has.
const ONE_PROCESS: &[&str] = &["waitress", "werkzeug", "wsgiref", "django runserver"];

/// Servers that have a thread for each request or none at all: no number can be set, and the first has none.
const NO_THREADS_TO_SET: &[&str] = &["wsgiref", "django runserver"];

/// What to start the server with for this setting; empty where that is not known. Both figures always: added
/// to a command that has the other one already, one alone would multiply it.
pub(super) fn flags(server: &str, setting: &Setting) -> String {
    let (workers, threads) = (setting.workers, setting.threads.unwrap_or(1));
    match server.split(' ').next() {
        Some("gunicorn") => format!("--workers {workers} --threads {threads}"),
        Some("waitress") => format!("--threads {threads}"),
        Some("Granian") => format!("--workers {workers} --blocking-threads {threads}"),
        _ => String::new(),
    }
}

/// Processes that the server can have where it has so many.
pub(super) fn most_processes(server: &str, present: usize) -> usize {
    if ONE_PROCESS.contains(&server) {
        present
    } else {
        usize::MAX
    }
}

/// Threads that each process of the server can have where it has so many.
pub(super) fn most_threads(server: &str, present: usize) -> usize {
    if NO_THREADS_TO_SET.contains(&server) {
        present
    } else {
        usize::MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(server: &str, threads: u64, expected: &str) {
        let setting = Setting {
            cores: 2.0,
            workers: 4,
            threads: Some(threads),
            pool: None,
        };
        assert_eq!(flags(server, &setting), expected, "{server}");
    }

    #[test]
    fn a_setting_is_what_the_server_is_started_with() {
        check("gunicorn sync", 1, "--workers 4 --threads 1");
        check("gunicorn sync", 16, "--workers 4 --threads 16");
        check("waitress", 16, "--threads 16");
        check("Granian WSGI", 16, "--workers 4 --blocking-threads 16");
        check("cheroot", 16, "");
        check("", 16, "");
    }

    #[test]
    fn some_servers_are_one_process() {
        assert_eq!(most_processes("waitress", 1), 1);
        assert_eq!(most_processes("gunicorn sync", 2), usize::MAX);
    }

    #[test]
    fn some_servers_have_no_threads_to_set() {
        assert_eq!(most_threads("wsgiref", 1), 1);
        assert_eq!(most_threads("django runserver", 1), 1);
        assert_eq!(most_threads("waitress", 1), usize::MAX);
    }
}
