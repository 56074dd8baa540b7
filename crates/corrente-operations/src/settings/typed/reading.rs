//! From checked values to types, name by name.
//!
//! A name that is not in the table, or of another kind than is asked for here, is a mistake in this file;
//! the tests read all of them, so it cannot be shipped.

use super::{
    AccessLog, Address, Application, ClientCertificates, Development, Duration, Interface,
    Lifespan, Limits, Logging, Loop, Mount, PathBuf, Processes, ProxyProtocol, RequestId, Settings,
    Sockets, StaticFolder, Switch, Timeouts, Tls, Value, Values, Web, WebSocket, WorkersAs,
};
use crate::settings::source::Origin;

impl From<&Values> for Settings {
    fn from(values: &Values) -> Self {
        Self {
            application: application(values),
            sockets: sockets(values),
            processes: processes(values),
            timeouts: timeouts(values),
            limits: limits(values),
            web: web(values),
            web_socket: web_socket(values),
            tls: tls(values),
            logging: logging(values),
            development: development(values),
        }
    }
}

fn application(values: &Values) -> Application {
    Application {
        target: values.text("app"),
        factory: values.switch("factory"),
        interface: match values.word("interface").as_str() {
            "asgi" => Interface::Asgi,
            "wsgi" => Interface::Wsgi,
            _ => Interface::Auto,
        },
        folder: values.word("app-dir").into(),
        lifespan: match values.word("lifespan").as_str() {
            "on" => Lifespan::On,
            "off" => Lifespan::Off,
            _ => Lifespan::Auto,
        },
        mounts: values
            .pairs("mount")
            .map(|(prefix, target)| Mount { prefix, target })
            .collect(),
        static_folders: values
            .pairs("static")
            .map(|(prefix, folder)| StaticFolder {
                prefix,
                folder: folder.into(),
            })
            .collect(),
        static_max_age: values.duration("static-max-age"),
        root_path: without_last_slash(&values.text("root-path").unwrap_or_default()),
        event_loop: match values.word("loop").as_str() {
            "asyncio" => Loop::Asyncio,
            _ => Loop::Corrente,
        },
    }
}

fn sockets(values: &Values) -> Sockets {
    let is_asked = |name: &str| values.get(name).origin != Origin::Default;
    let descriptors = values.texts("fd").into_iter();
    let descriptors: Vec<String> = descriptors.map(|number| format!("fd://{number}")).collect();
    // `--fd 3` alone does not listen on the default address as well.
    let addresses = if is_asked("bind") || descriptors.is_empty() {
        values.texts("bind")
    } else {
        Vec::new()
    };
    let all = addresses.iter().chain(&descriptors);
    Sockets {
        addresses: all.filter_map(|word| Address::read(word)).collect(),
        asked: if is_asked("bind") || is_asked("fd") {
            Switch::On
        } else {
            Switch::Off
        },
        backlog: Some(u32::try_from(values.number("backlog")).unwrap_or(u32::MAX)),
        unix_permissions: match values.get("unix-permissions").value {
            Value::Permissions(mode) => mode,
            _ => 0o660,
        },
        reuse_port: values.switch("reuse-port"),
    }
}

fn processes(values: &Values) -> Processes {
    Processes {
        workers: values
            .number_or_off("workers")
            .map(|number| number as usize),
        workers_as: match values.word("workers-as").as_str() {
            "threads" => WorkersAs::Threads,
            _ => WorkersAs::Processes,
        },
        threads: values.number("threads") as usize,
        max_requests: values.number_or_off("max-requests"),
        max_requests_jitter: values.number("max-requests-jitter"),
        max_lifetime: values.duration("max-lifetime"),
        max_memory_bytes: values.bytes_or_off("max-memory"),
        pid_file: values.path("pid-file"),
    }
}

fn timeouts(values: &Values) -> Timeouts {
    let always = |name: &str| values.duration(name).unwrap_or_default();
    Timeouts {
        header: values.duration("header-timeout"),
        body: values.duration("body-timeout"),
        write: values.duration("write-timeout"),
        idle: values.duration("idle-timeout"),
        graceful: always("graceful-timeout"),
        startup: always("startup-timeout"),
        hang: values.duration("hang-timeout"),
    }
}

fn limits(values: &Values) -> Limits {
    Limits {
        headers: values.number("max-headers") as usize,
        head_bytes: values.bytes("max-head-bytes"),
        target_bytes: values.bytes("max-target-bytes"),
        body_bytes: values.bytes_or_off("max-body-bytes"),
        body_rate: values.bytes_or_off("min-body-rate"),
        connection_requests: values.number_or_off("max-connection-requests"),
        concurrent_requests: values
            .number_or_off("max-concurrent-requests")
            .map(|number| number as usize),
        queued_requests: values.number("max-queued-requests") as usize,
        connections: values.number("max-connections") as usize,
    }
}

fn web(values: &Values) -> Web {
    Web {
        http2: values.switch("http2"),
        trusted_proxies: values.texts("trusted-proxies"),
        proxy_protocol: match values.word("proxy-protocol").as_str() {
            "on" => ProxyProtocol::On,
            "required" => ProxyProtocol::Required,
            _ => ProxyProtocol::Off,
        },
        server_header: values.text("server-header").filter(|name| name != "off"),
        date_header: values.switch("date-header"),
        headers: values
            .texts("header")
            .iter()
            .filter_map(|field| field.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect(),
        request_id: match values.word("request-id").as_str() {
            "on" => RequestId::Made,
            "trusted" => RequestId::Trusted,
            _ => RequestId::Off,
        },
        health_path: values.text("health-path"),
        ready_path: values.text("ready-path"),
        metrics_path: values.text("metrics-path"),
    }
}

fn web_socket(values: &Values) -> WebSocket {
    WebSocket {
        message_bytes: values.bytes("ws-max-message-bytes"),
        queue: values.number("ws-max-queue") as usize,
        ping_interval: values.duration("ws-ping-interval"),
        ping_timeout: values.duration("ws-ping-timeout"),
        deflate: values.switch("ws-deflate"),
    }
}

fn tls(values: &Values) -> Option<Tls> {
    let others = (
        values.path("tls-key"),
        values.text("tls-password"),
        values.path("tls-ca"),
        values.text("tls-ciphers"),
        values.word("tls-client"),
        values.word("tls-minimum"),
    );
    let (key, password, authorities, ciphers, client, minimum) = others;
    Some(Tls {
        certificate: values.path("tls-certificate")?,
        key,
        password,
        authorities,
        client: match client.as_str() {
            "optional" => ClientCertificates::Optional,
            "required" => ClientCertificates::Required,
            _ => ClientCertificates::None,
        },
        ciphers,
        minimum,
    })
}

fn logging(values: &Values) -> Logging {
    Logging {
        access: match values.word("access-log").as_str() {
            "off" => AccessLog::Off,
            "-" => AccessLog::Standard,
            path => AccessLog::File(path.into()),
        },
        access_format: values.word("access-log-format"),
        level: values.word("log-level"),
        file: values
            .path("log-file")
            .filter(|path| path.as_os_str() != "-"),
        stall: values.duration("stall-log"),
        gauge: values.path("gauge"),
    }
}

fn development(values: &Values) -> Development {
    let folders = values.texts("reload-dir").into_iter();
    Development {
        reload: values.switch("reload"),
        folders: folders.map(PathBuf::from).collect(),
        include: values.texts("reload-include"),
        exclude: values.texts("reload-exclude"),
    }
}

fn without_last_slash(path: &str) -> String {
    path.trim_end_matches('/').to_owned()
}

/// One reader a kind. A kind that does not fit gives the empty value; a test compares them all.
impl Values {
    fn text(&self, name: &str) -> Option<String> {
        match &self.get(name).value {
            Value::Text(text) | Value::Secret(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn word(&self, name: &str) -> String {
        self.text(name).unwrap_or_default()
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    fn texts(&self, name: &str) -> Vec<String> {
        match &self.get(name).value {
            Value::Texts(texts) => texts.clone(),
            _ => Vec::new(),
        }
    }

    fn pairs(&self, name: &str) -> impl Iterator<Item = (String, String)> {
        self.texts(name).into_iter().filter_map(|word| {
            let (prefix, to) = word.split_once('=')?;
            Some((without_last_slash(prefix), to.to_owned()))
        })
    }

    fn switch(&self, name: &str) -> Switch {
        match self.get(name).value {
            Value::Switch(switch) => switch,
            _ => Switch::Off,
        }
    }

    fn number_or_off(&self, name: &str) -> Option<u64> {
        match self.get(name).value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    fn number(&self, name: &str) -> u64 {
        self.number_or_off(name).unwrap_or_default()
    }

    fn bytes_or_off(&self, name: &str) -> Option<u64> {
        match self.get(name).value {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn bytes(&self, name: &str) -> usize {
        let bytes = self.bytes_or_off(name).unwrap_or_default();
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    fn duration(&self, name: &str) -> Option<Duration> {
        match self.get(name).value {
            Value::Duration(duration) => Some(duration),
            _ => None,
        }
    }
}
