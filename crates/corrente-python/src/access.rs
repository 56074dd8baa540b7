//! The access log of a worker: what the server tells of exchanges, as lines of a file.
//!
//! Joins `corrente-server`, which knows exchanges, and `corrente-operations`, which knows formats and files.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;

use corrente_operations::log::{Finished, Format, FormatError, Seconds, Target, Trouble, Writer};
use corrente_server::{AccessLog, Account, Log};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

/// A log in a file.
pub(crate) struct FileLog {
    format: Format,
    writer: Writer,
    request_fields: Vec<String>,
    response_fields: Vec<String>,
}

impl FileLog {
    pub(crate) fn new(format: Format, writer: Writer) -> Self {
        Self {
            request_fields: format.request_fields(),
            response_fields: format.response_fields(),
            format,
            writer,
        }
    }
}

/// Why there is no log.
pub(crate) enum Unopened {
    Format(FormatError),
    Target(io::Error),
}

/// Opens a log; `report` hears of trouble, on a thread of its own.
pub(crate) fn opened(
    target: Target,
    format: &str,
    report: impl FnMut(Trouble) + Send + 'static,
) -> Result<AccessLog, Unopened> {
    let format = Format::read(format).map_err(Unopened::Format)?;
    let writer = Writer::open(target, report).map_err(Unopened::Target)?;
    Ok(AccessLog::new(Arc::new(FileLog::new(format, writer))))
}

/// An access log in a file, or on standard output for `-`, where no parent of ours has settings for it. `report` is called
/// with a line of what goes wrong, on a thread of the log's own.
///
/// `ValueError` where the format cannot be read, `OSError` where the file cannot be opened.
#[pyfunction]
pub(crate) fn open_access_log(
    target: &str,
    line_format: &str,
    report: Py<PyAny>,
) -> PyResult<AccessLog> {
    let name = target.to_owned();
    let tell = move |trouble: Trouble| {
        Python::attach(|py| {
            let text = format!("access log {name}: {trouble}");
            if let Err(error) = report.call1(py, (text,)) {
                error.write_unraisable(py, Some(report.bind(py)));
            }
        });
    };
    let place = match target {
        "-" => Target::Standard,
        path => Target::File(path.into()),
    };
    opened(place, line_format, tell).map_err(|error| match error {
        Unopened::Format(error) => PyValueError::new_err(error.to_string()),
        Unopened::Target(error) => PyOSError::new_err(error.to_string()),
    })
}

thread_local! {
    /// What is used again for each line.
    static DESK: RefCell<Desk> = RefCell::default();
}

#[derive(Default)]
struct Desk {
    seconds: Seconds,
    line: Vec<u8>,
}

impl Log for FileLog {
    fn request_fields(&self) -> &[String] {
        &self.request_fields
    }

    fn response_fields(&self) -> &[String] {
        &self.response_fields
    }

    fn put(&self, account: &Account<'_>) {
        DESK.with_borrow_mut(|Desk { seconds, line }| {
            let finished = Finished {
                began: seconds.moment(account.began),
                client: account.client,
                method: account.method,
                target: account.target,
                version: account.version,
                status: account.status,
                sent_bytes: account.sent_bytes,
                received_bytes: account.received_bytes,
                duration: account.duration,
                request_headers: account.request_headers,
                response_headers: account.response_headers,
                scheme: account.scheme,
                request_id: account.request_id,
                process: std::process::id(),
            };
            line.clear();
            self.format.render(&finished, line);
            self.writer.write(line);
        });
    }

    fn reopen(&self) {
        self.writer.reopen();
    }

    fn finish(&self) {
        self.writer.finish();
    }
}
