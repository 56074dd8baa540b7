//! The same request as one JSON object.
//!
//! Field names have their units; a field that is not known is left out. The order is fixed, for people who
//! read it with their eyes.

use super::finished::{Finished, field};

pub(super) fn render(request: &Finished<'_>, line: &mut Vec<u8>) {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut object = Object::begin(line);
    object.put("time", &request.began.internet());
    object.put("client", &request.client);
    object.put("method", &lossy(request.method));
    object.put("path", &lossy(request.path()));
    if !request.query().is_empty() {
        object.put("query", &lossy(request.query()));
    }
    object.put("version", &request.version);
    object.put("scheme", &request.scheme);
    object.put("status", &request.status);
    object.put("sent_bytes", &request.sent_bytes);
    object.put("received_bytes", &request.received_bytes);
    let milliseconds = request.duration.as_micros() as f64 / 1000.0;
    object.put("duration_ms", &milliseconds);
    for (key, name) in [("referer", "referer"), ("user_agent", "user-agent")] {
        if let Some(value) = field(request.request_headers, name) {
            object.put(key, &lossy(value));
        }
    }
    if !request.request_id.is_empty() {
        object.put("request_id", &request.request_id);
    }
    object.put("process", &request.process);
    object.end();
}

/// An object that is being written, without one in memory.
struct Object<'l> {
    line: &'l mut Vec<u8>,
    separator: u8,
}

impl<'l> Object<'l> {
    fn begin(line: &'l mut Vec<u8>) -> Self {
        Self {
            line,
            separator: b'{',
        }
    }

    fn put<T: serde::Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        self.line.push(self.separator);
        self.separator = b',';
        // Texts and numbers into memory: there is nothing that could fail.
        serde_json::to_writer(&mut *self.line, key).ok();
        self.line.push(b':');
        serde_json::to_writer(&mut *self.line, value).ok();
    }

    fn end(self) {
        self.line.push(b'}');
    }
}
