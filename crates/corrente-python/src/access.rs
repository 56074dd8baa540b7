//! The access log of a worker: what the server tells of exchanges, as lines of a file.
//!
//! Joins `corrente-server`, which knows exchanges, and `corrente-operations`, which knows formats and files.

use std::cell::RefCell;

use corrente_operations::log::{Finished, Format, Writer, zoned};
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
    /// Memory for a line, used again for each.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Log for FileLog {
    fn request_fields(&self) -> &[String] {
        &self.request_fields
    }

    fn response_fields(&self) -> &[String] {
        &self.response_fields
    }

    fn put(&self, account: &Account<'_>) {
        let finished = Finished {
            began: &zoned(account.began),
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
        LINE.with_borrow_mut(|line| {
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
