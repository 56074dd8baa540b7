//! The part of OTLP JSON that is read: `TracesData` down to the spans' attributes.
//!
//! The encoding is protobuf's JSON mapping with two changes of OTLP's own: ids are hexadecimal and
//! enumerations are numbers (OTLP specification, "JSON Protobuf Encoding"). Exporters differ, so
//! numbers are taken as numbers or text and enumerations by number or name. Unknown fields are
//! passed over, as the specification demands.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// One document: `TracesData` or `ExportTraceServiceRequest`, which look the same.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with `resourceSpans`")]
pub(super) struct Document {
    #[serde(rename = "resourceSpans", alias = "resource_spans")]
    pub(super) resource_spans: Option<Vec<ResourceSpans>>,
    #[serde(rename = "resourceMetrics")]
    metrics: Option<IgnoredAny>,
    #[serde(rename = "resourceLogs")]
    logs: Option<IgnoredAny>,
    /// Jaeger's and Zipkin's queries answer with it.
    data: Option<IgnoredAny>,
    /// Corrente's own documents.
    schema: Option<IgnoredAny>,
}

impl Document {
    /// What the document is, if it holds no spans.
    pub(super) fn foreign(&self) -> Option<&'static str> {
        if self.resource_spans.is_some() {
            None
        } else if self.metrics.is_some() {
            Some("OTLP metrics")
        } else if self.logs.is_some() {
            Some("OTLP logs")
        } else if self.data.is_some() {
            Some("a Jaeger query's answer")
        } else if self.schema.is_some() {
            Some("a document of Corrente's own")
        } else {
            Some("JSON of another kind")
        }
    }
}

/// What one process sent.
#[derive(Debug, Deserialize)]
pub(super) struct ResourceSpans {
    #[serde(default)]
    pub(super) resource: Holder,
    // The second name is from before OTLP 0.15 and still found in stored files.
    #[serde(
        default,
        rename = "scopeSpans",
        alias = "scope_spans",
        alias = "instrumentationLibrarySpans"
    )]
    pub(super) scopes: Vec<ScopeSpans>,
}

/// Something that has attributes.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Holder {
    #[serde(default)]
    pub(super) attributes: Vec<Attribute>,
}

/// What one instrumentation library sent.
#[derive(Debug, Deserialize)]
pub(super) struct ScopeSpans {
    #[serde(default, alias = "instrumentationLibrary")]
    pub(super) scope: Scope,
    #[serde(default)]
    pub(super) spans: Vec<Span>,
}

/// An instrumentation library.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Scope {
    #[serde(default)]
    pub(super) name: String,
}

/// One span.
#[derive(Debug, Deserialize)]
pub(super) struct Span {
    #[serde(rename = "traceId", alias = "trace_id", default)]
    pub(super) trace: String,
    #[serde(rename = "spanId", alias = "span_id", default)]
    pub(super) id: String,
    #[serde(rename = "parentSpanId", alias = "parent_span_id", default)]
    pub(super) parent: Option<String>,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) kind: Kind,
    #[serde(rename = "startTimeUnixNano", alias = "start_time_unix_nano", default)]
    pub(super) start: Integer,
    #[serde(rename = "endTimeUnixNano", alias = "end_time_unix_nano", default)]
    pub(super) end: Integer,
    #[serde(default)]
    pub(super) attributes: Vec<Attribute>,
    #[serde(default)]
    pub(super) status: Option<Status>,
}

/// How a span ended.
#[derive(Debug, Deserialize)]
pub(super) struct Status {
    #[serde(default)]
    pub(super) code: Kind,
}

/// A key with its value.
#[derive(Debug, Deserialize)]
pub(super) struct Attribute {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: Option<Value>,
}

/// A value of the types that are looked at.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Value {
    #[serde(rename = "stringValue", alias = "string_value")]
    pub(super) text: Option<String>,
    #[serde(rename = "intValue", alias = "int_value")]
    pub(super) integer: Option<Integer>,
}

/// A 64-bit integer, which protobuf's JSON mapping writes as text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Integer {
    Number(u64),
    Text(String),
    /// Negative, or a float: nothing that is looked at has such values.
    Other(IgnoredAny),
}

impl Default for Integer {
    fn default() -> Self {
        Self::Number(0)
    }
}

impl Integer {
    pub(super) fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            Self::Other(_) => None,
        }
    }
}

/// An enumeration's value by number, or by name as other JSON mappings write it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Kind {
    Number(u64),
    Name(String),
}

impl Default for Kind {
    fn default() -> Self {
        Self::Number(0)
    }
}

impl Kind {
    /// Whether it is `number`, which is called something that ends in `name`.
    pub(super) fn is(&self, number: u64, name: &str) -> bool {
        match self {
            Self::Number(found) => *found == number,
            Self::Name(found) => found.rsplit('_').next() == Some(name),
        }
    }
}
