//! The access log of a worker: what the server tells of exchanges, as lines of a file.
//!
//! Joins `corrente-server`, which knows exchanges, and `corrente-operations`, which knows formats and files.

use std::cell::RefCell;

use corrente_operations::log::{Finished, Format, Seconds, Writer};
use corrente_server::{Account, Log};

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
