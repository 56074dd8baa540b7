//! A better setting in the words of the server that it is for, and what each server can be set to.
//!
//! Servers have their recorded names (`gunicorn sync`). It decides nothing: which setting is better is
//! the model's. A server that is not known here has no flags, and as many processes as one likes.

use corrente_report::prediction::Setting;

/// Servers that are one process, however many threads it has.
const ONE_PROCESS: &[&str] = &["waitress", "werkzeug", "wsgiref", "django runserver"];

/// What to start the server with for this setting; empty where that is not known.
pub(super) fn flags(server: &str, setting: &Setting) -> String {
    let (workers, threads) = (setting.workers, setting.threads.unwrap_or(1));
    match server.split(' ').next() {
        Some("gunicorn") if threads > 1 => format!("--workers {workers} --threads {threads}"),
        Some("gunicorn") => format!("--workers {workers}"),
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
        check("gunicorn sync", 1, "--workers 4");
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
}
