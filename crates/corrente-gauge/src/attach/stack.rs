//! Where a thread is, from its stack: outside of requests, in a framework, or in an endpoint.
//!
//! The endpoint is the first function of the user's own that the framework's dispatcher called,
//! decorators passed over. The innermost library that can wait names the resource. All this is
//! reading names; it knows nothing of processors or clocks. Pure.

use super::frame::{Driver, Frame, Part, Style, is_answering, module, part_of};

/// Names under which decorators call what they decorate. An endpoint of such a name is still found
/// where nothing else is.
const WRAPPERS: &[&str] = &[
    "wrapper",
    "wrapped",
    "_wrapper",
    "_wrapped",
    "inner",
    "_inner",
    "decorated",
    "decorator",
    "decorated_function",
    "decorated_view",
    "wrapped_view",
    "_wrapped_view",
    "wrapped_function",
    "view_wrapper",
    "_view_wrapper",
    "_wrapper_view",
    "inner_wrapper",
    "wrapper_func",
    "wrap",
    "new_func",
    "newfunc",
    "sync_wrapper",
    "async_wrapper",
    "_decorated",
    "func_wrapper",
];

/// Methods of view classes: before Python 3.11 frames do not name the class, and their name alone would make one endpoint of all classes of a module.
const METHODS: &[&str] = &[
    "get",
    "post",
    "put",
    "patch",
    "delete",
    "head",
    "options",
    "dispatch",
    "list",
    "retrieve",
    "create",
    "update",
    "destroy",
    "partial_update",
    "on_get",
    "on_post",
    "on_put",
    "on_patch",
    "on_delete",
    "__call__",
    "dispatch_request",
    "handle",
    "app",
    "<lambda>",
];

/// Where a thread is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) stage: Stage,
    /// It runs an event loop.
    pub(super) on_loop: bool,
    /// It is a thread of a pool.
    pub(super) in_pool: bool,
    /// The innermost library that can wait.
    pub(super) driver: Option<Driver>,
    /// The server that is on the stack, and the file of its worker.
    pub(super) server: Option<ServerSeen>,
    /// How the framework on the stack is called.
    pub(super) asgi: Option<bool>,
    /// The library that runs many requests in this thread, none of which is on its stack while it waits.
    pub(super) greenlets: Option<&'static str>,
    /// The innermost frame is known to wait for another thread: a queue, a lock, a condition.
    pub(super) waits_for_thread: bool,
}

/// A server on the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerSeen {
    pub(super) name: &'static str,
    /// `sync` of `gunicorn/workers/sync.py`.
    pub(super) worker: Option<String>,
}

/// Where in the course of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Not in the application: idle, or in the server.
    #[default]
    Outside,
    /// In the application, but not in an endpoint: framework, middleware.
    Application,
    /// In an endpoint.
    Endpoint(String),
    /// In the server, which sends what the application gave.
    Answering,
}

/// A frame with what it is, and its path within its package.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) part: Part,
    pub(super) package: Option<&'a str>,
}

impl<'a> Known<'a> {
    pub(super) fn new(frame: Frame<'a>, package: Option<&'a str>) -> Self {
        Self {
            part: part_of(frame),
            frame,
            package,
        }
    }
}

/// Where a thread with this stack is; the innermost frame comes first, as they are read.
pub(super) fn position(stack: &[Known<'_>]) -> Position {
    let has = |part: Part| stack.iter().any(|known| known.part == part);
    Position {
        stage: stage(stack),
        on_loop: has(Part::Loop),
        in_pool: has(Part::PoolThread),
        driver: innermost_driver(stack),
        server: server(stack),
        asgi: asgi(stack),
        greenlets: greenlets(stack),
        waits_for_thread: stack.first().is_some_and(waits_for_thread),
    }
}

fn stage(stack: &[Known<'_>]) -> Stage {
    // `anyio.run` has the name of its pool's threads' function.
    let on_loop = stack.iter().any(|known| known.part == Part::Loop);
    let called = |known: &Known<'_>| match known.part {
        Part::Dispatch(_) => true,
        Part::Pool => !on_loop,
        _ => false,
    };
    if let Some(at) = stack.iter().position(called) {
        // Everything inside of the innermost dispatcher, outermost first.
        return match endpoint(&stack[..at]) {
            Some(name) => Stage::Endpoint(name),
            None if stack[at].part == Part::Pool && !in_application(stack) => Stage::Outside,
            None => Stage::Application,
        };
    }
    if stack
        .iter()
        .any(|known| matches!(known.part, Part::Entry(_)))
    {
        return Stage::Application;
    }
    unknown_framework(stack)
}

fn in_application(stack: &[Known<'_>]) -> bool {
    stack
        .iter()
        .any(|known| matches!(known.part, Part::Entry(_) | Part::Dispatch(_)))
}

/// The stage below a server where no known framework is: a plain WSGI or ASGI application.
fn unknown_framework(stack: &[Known<'_>]) -> Stage {
    let Some(server) = stack
        .iter()
        .rposition(|known| matches!(known.part, Part::Server(_)))
    else {
        return Stage::Outside;
    };
    let inside = &stack[..server];
    // A server that imports the application runs its modules, which is no request.
    if inside
        .iter()
        .any(|known| known.frame.function == "<module>")
    {
        return Stage::Outside;
    }
    if let Some(name) = endpoint(inside) {
        return Stage::Endpoint(name);
    }
    if inside.iter().any(|known| known.part == Part::Framework) {
        return Stage::Application;
    }
    if inside.iter().any(|known| is_answering(known.frame)) {
        return Stage::Answering;
    }
    Stage::Outside
}

/// The endpoint among frames inside of a dispatcher, innermost first.
fn endpoint(inside: &[Known<'_>]) -> Option<String> {
    let wrapper = |known: &&Known<'_>| WRAPPERS.contains(&known.frame.name());
    let own = || inside.iter().rev().filter(|known| known.part == Part::Own);
    let package = || {
        inside
            .iter()
            .rev()
            .filter(|known| known.part == Part::Package)
    };
    let found = own()
        .find(|known| !wrapper(known))
        .or_else(|| package().find(|known| !wrapper(known)))?;
    Some(name(found))
}

fn name(known: &Known<'_>) -> String {
    let frame = known.frame;
    let module = module(frame.file, known.package);
    let classless = !frame.function.contains('.');
    if classless && METHODS.contains(&frame.function) && frame.line > 0 {
        format!("{module}:{}:{}", frame.function, frame.line)
    } else {
        format!("{module}:{}", frame.function)
    }
}

fn innermost_driver(stack: &[Known<'_>]) -> Option<Driver> {
    let mut general = None;
    for known in stack {
        match known.part {
            // An ORM over a driver written in C: the driver has no frame, unless further out.
            Part::Driver(driver) if ["sqlalchemy", "django.db"].contains(&driver.name) => {
                general = general.or(Some(driver));
            }
            Part::Driver(driver) => return Some(driver),
            Part::Own | Part::Entry(_) | Part::Dispatch(_) | Part::Server(_) => break,
            _ => {}
        }
    }
    general
}

fn server(stack: &[Known<'_>]) -> Option<ServerSeen> {
    let mut seen: Option<ServerSeen> = None;
    for known in stack {
        let Part::Server(name) = known.part else {
            continue;
        };
        let worker = known
            .frame
            .file
            .rsplit_once("/gunicorn/workers/")
            .map(|(_, file)| file.trim_end_matches(".py").to_owned())
            // Every worker runs through the base class.
            .filter(|file| file != "base");
        match &mut seen {
            None => seen = Some(ServerSeen { name, worker }),
            // Gunicorn that runs Uvicorn's worker is Gunicorn; a server's helper is not a server.
            Some(inner) => {
                inner.name = name;
                inner.worker = inner.worker.take().or(worker);
            }
        }
    }
    seen
}

fn asgi(stack: &[Known<'_>]) -> Option<bool> {
    stack.iter().rev().find_map(|known| match known.part {
        Part::Entry(Style::Asgi) | Part::Dispatch(Style::Asgi) => Some(true),
        Part::Entry(Style::Wsgi) | Part::Dispatch(Style::Wsgi) => Some(false),
        _ => None,
    })
}

fn greenlets(stack: &[Known<'_>]) -> Option<&'static str> {
    stack.iter().find_map(|known| match known.part {
        Part::Server(library @ ("gevent" | "eventlet")) => Some(library),
        _ => None,
    })
}

/// Waits of one thread for another, by the innermost Python frame.
fn waits_for_thread(known: &Known<'_>) -> bool {
    let function = known.frame.name();
    known.part == Part::PoolThread
        || (known.part == Part::Standard
            && ["threading.py", "queue.py", "concurrent/futures/_base.py"]
                .iter()
                .any(|file| known.frame.file.ends_with(file))
            && [
                "wait",
                "get",
                "put",
                "join",
                "acquire",
                "result",
                "__enter__",
            ]
            .contains(&function))
}

#[cfg(test)]
mod tests;
