//! Handles that *are* `asyncio.Handle`s and `asyncio.TimerHandle`s, made without running their `__init__`.
//!
//! The classes here extend asyncio's and add nothing but speed: memory of dead handles is reused,
//! and fields are written where the class says that its slots are. So a handle's repr, its
//! cancellation in debug mode and whatever a version of asyncio adds work as they do there. What other threads
//! hand over has a class of its own, as since CPython 3.14: who runs it is known (`running`).
//!
//! Key invariant: a handle is invisible to the garbage collector only while the loop that has it runs, since a loop
//! that runs is no garbage, nor is what waits there; whoever lets go of it, or ends the run, shows it if it is still there
//! ([`let_go`], [`show`]). Without a GIL it is visible at once, since
//! another thread may come to have it at any time; and its fields are read and written under its lock,
//! as the interpreter does it, for it may be cancelled there while the loop runs it.

use std::ffi::{CStr, c_void};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::Borrowed;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi::{self, PyObject, PyType_Slot, PyType_Spec, PyTypeObject};
use pyo3::prelude::*;
use pyo3::sync::critical_section::with_critical_section;
use pyo3::types::{PyTuple, PyType};

use super::free::Free;
use super::hidden;
use super::method::Method;
use super::running::Running;
use super::slots::named_slots;
use super::sole::is_weakly_referred;

/// A field of a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Callback,
    Arguments,
    Cancelled,
    Loop,
    Traceback,
    Repr,
    Context,
    /// Timers only.
    When,
    /// Timers only.
    Scheduled,
}

impl Field {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Callback, "_callback"),
        (Self::Arguments, "_args"),
        (Self::Cancelled, "_cancelled"),
        (Self::Loop, "_loop"),
        (Self::Traceback, "_source_traceback"),
        (Self::Repr, "_repr"),
        (Self::Context, "_context"),
        (Self::When, "_when"),
        (Self::Scheduled, "_scheduled"),
    ];
}

/// One of the classes.
#[derive(Debug)]
struct Class {
    own: *mut PyTypeObject,
    base: *mut PyTypeObject,
    /// Where its slots are, in bytes from the object's begin: all of them, for dropping.
    slots: Vec<usize>,
    /// Where its fields are, by [`Field`].
    fields: [usize; Field::ALL.len()],
    size: usize,
}

/// What is known of asyncio's handles once the module is there.
#[derive(Debug)]
struct Classes {
    plain: Class,
    timer: Class,
    /// Its handles end with a [`Running`].
    thread_safe: Class,
    empty: Py<PyTuple>,
}

// SAFETY: the classes live as long as the process (`register` keeps a reference), and the rest is
// never written again.
unsafe impl Sync for Classes {}
// SAFETY: as above.
unsafe impl Send for Classes {}

static CLASSES: OnceLock<Classes> = OnceLock::new();
static FREE_PLAIN: Free = Free::new();
static FREE_TIMER: Free = Free::new();
static FREE_THREAD_SAFE: Free = Free::new();

/// What a handle is made of.
pub(crate) struct Parts<'a, 'py> {
    pub callback: Borrowed<'a, 'py, PyAny>,
    pub arguments: Bound<'py, PyTuple>,
    pub event_loop: &'a Bound<'py, PyAny>,
    pub context: Bound<'py, PyAny>,
    /// Where it was made, in debug mode; else `None`.
    pub traceback: Option<Bound<'py, PyAny>>,
}

/// What a class is made of, beside its methods.
struct Plan {
    name: &'static CStr,
    /// Asyncio's class.
    base: &'static str,
    /// Bytes beyond the base's.
    more: usize,
    died: unsafe extern "C" fn(*mut PyObject),
}

const PLAIN: Plan = Plan {
    name: c"corrente._native.Handle",
    base: "Handle",
    more: 0,
    died: plain_died,
};
const TIMER: Plan = Plan {
    name: c"corrente._native.TimerHandle",
    base: "TimerHandle",
    more: 0,
    died: timer_died,
};
const THREAD_SAFE: Plan = Plan {
    name: c"corrente._native._ThreadSafeHandle",
    base: "_ThreadSafeHandle",
    more: size_of::<Running>(),
    died: thread_safe_died,
};
/// Before 3.14 asyncio knows no class of its own for them.
const THREAD_SAFE_BEFORE: Plan = Plan {
    name: PLAIN.name,
    base: PLAIN.base,
    ..THREAD_SAFE
};

/// Makes the classes of plain handles, timers, and what other threads hand over, with methods of their own.
///
/// # Errors
///
/// Where asyncio's handles lack a slot that they are known to have.
pub(crate) fn classes<'py>(
    py: Python<'py>,
    methods: [&'static [Method]; 3],
) -> PyResult<[Bound<'py, PyType>; 3]> {
    let events = py.import("asyncio.events")?;
    let thread_safe = if events.hasattr(THREAD_SAFE.base)? {
        &THREAD_SAFE
    } else {
        &THREAD_SAFE_BEFORE
    };
    let plain = derived(&events, &PLAIN, methods[0])?;
    let timer = derived(&events, &TIMER, methods[1])?;
    let thread_safe = derived(&events, thread_safe, methods[2])?;
    let made = Classes {
        plain: layout(&plain)?,
        timer: layout(&timer)?,
        thread_safe: layout(&thread_safe)?,
        empty: PyTuple::empty(py).unbind(),
    };
    let when = made.timer.fields[Field::When as usize];
    let context = made.plain.fields[Field::Context as usize];
    if when == 0 || context == 0 {
        return Err(PyRuntimeError::new_err(
            "asyncio's handles are none that this version of Corrente knows; please report your version of Python",
        ));
    }
    // The module is imported once; a second import finds the first one's classes.
    drop(CLASSES.set(made));
    Ok([plain, timer, thread_safe])
}

fn derived<'py>(
    events: &Bound<'py, PyModule>,
    plan: &Plan,
    methods: &'static [Method],
) -> PyResult<Bound<'py, PyType>> {
    let base = events.getattr(plan.base)?.cast_into::<PyType>()?;
    // SAFETY: a live class.
    let size = unsafe { (*base.as_type_ptr()).tp_basicsize };
    let first = methods
        .first()
        .map_or(ptr::null_mut(), |first| first.definition().cast());
    let mut slots = [
        PyType_Slot {
            slot: ffi::Py_tp_dealloc,
            pfunc: plan.died as *mut c_void,
        },
        PyType_Slot {
            slot: ffi::Py_tp_methods,
            pfunc: first,
        },
        PyType_Slot::default(),
    ];
    let mut spec = PyType_Spec {
        name: plan.name.as_ptr(),
        basicsize: i32::try_from(usize::try_from(size)? + plan.more)?,
        itemsize: 0,
        flags: ffi::Py_TPFLAGS_DEFAULT as u32,
        slots: slots.as_mut_ptr(),
    };
    let bases = PyTuple::new(events.py(), [base])?;
    // SAFETY: spec and slots are whole, the methods end with `Method::END`, the name is static.
    let class = unsafe { ffi::PyType_FromSpecWithBases(&raw mut spec, bases.as_ptr()) };
    // SAFETY: a new reference, or null with an exception set.
    let class = unsafe { Bound::from_owned_ptr_or_err(events.py(), class) }?;
    Ok(class.cast_into::<PyType>()?)
}

/// Reads from the classes' descriptors where their slots are.
fn layout(class: &Bound<'_, PyType>) -> PyResult<Class> {
    let mut fields = [0; Field::ALL.len()];
    let slots = named_slots(class)?;
    for (name, offset) in &slots {
        let known = Field::ALL.iter().find(|(_, slot)| slot == name);
        if let Some((field, _)) = known {
            fields[*field as usize] = *offset;
        }
    }
    let pointer = class.as_type_ptr();
    // SAFETY: a live class.
    let size = unsafe { (*pointer).tp_basicsize } as usize;
    // SAFETY: a live class; this reference is never given back, since handles of it may live anywhere.
    unsafe { ffi::Py_INCREF(pointer.cast()) };
    // SAFETY: a live class, whose base lives as long.
    let base = unsafe { (*pointer).tp_base };
    Ok(Class {
        own: pointer,
        base,
        slots: slots.into_iter().map(|(_, offset)| offset).collect(),
        fields,
        size,
    })
}

fn known() -> &'static Classes {
    CLASSES
        .get()
        .expect("handles are made by a loop, and importing its class has made these")
}

/// A plain handle.
pub(crate) fn plain<'py>(parts: Parts<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let known = known();
    make(&known.plain, &FREE_PLAIN, parts)
}

/// A handle that another thread may have made, and may cancel while the loop runs it.
pub(crate) fn thread_safe<'py>(parts: Parts<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let known = known();
    let handle = make(&known.thread_safe, &FREE_THREAD_SAFE, parts)?;
    // SAFETY: a handle of this class.
    let place = unsafe { running_place(handle.as_ptr()) };
    // SAFETY: nobody else knows the handle yet.
    unsafe { place.write(Running::default()) };
    Ok(handle)
}

/// A timer; `when` as the caller gave it.
pub(crate) fn timer<'py>(
    parts: Parts<'_, 'py>,
    when: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let known = known();
    let handle = make(&known.timer, &FREE_TIMER, parts)?;
    let py = handle.py();
    known.timer.fill(&handle, Field::When, when);
    known
        .timer
        .fill(&handle, Field::Scheduled, py_bool(py, true));
    Ok(handle)
}

/// A timer has left the queue of timers.
pub(crate) fn unschedule(py: Python<'_>, timer: &Py<PyAny>) {
    set(timer.bind(py), Field::Scheduled, py_bool(py, false));
}

/// The empty tuple, without asking the interpreter for it.
pub(crate) fn no_arguments(py: Python<'_>) -> Bound<'_, PyTuple> {
    known().empty.bind(py).clone()
}

#[inline]
fn make<'py>(class: &Class, free: &Free, parts: Parts<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = parts.event_loop.py();
    // SAFETY: attached, as `py` shows.
    let object = match unsafe { free.take() } {
        // SAFETY: memory of a dead handle of this class; it gets its first reference and its class.
        Some(object) => unsafe { ffi::PyObject_Init(object, class.own) },
        None => new_memory(class),
    };
    // SAFETY: a new reference, or null with an exception set.
    let handle = unsafe { Bound::from_owned_ptr_or_err(py, object) }?;
    let none = || py.None().into_bound(py);
    let fill = |field, value| class.fill(&handle, field, value);
    fill(Field::Callback, parts.callback.to_owned());
    fill(Field::Arguments, parts.arguments.into_any());
    fill(Field::Cancelled, py_bool(py, false));
    fill(Field::Loop, parts.event_loop.clone());
    fill(Field::Traceback, parts.traceback.unwrap_or_else(none));
    fill(Field::Repr, none());
    fill(Field::Context, parts.context);
    if cfg!(Py_GIL_DISABLED) {
        // SAFETY: its fields are whole (a timer's own may be null) and it is not tracked yet.
        unsafe { ffi::PyObject_GC_Track(handle.as_ptr().cast()) };
    }
    Ok(handle)
}

impl Class {
    /// Sets a field of a new handle of this class, which is empty.
    #[inline]
    fn fill<'py>(&self, handle: &Bound<'py, PyAny>, field: Field, value: Bound<'py, PyAny>) {
        let offset = self.fields[field as usize];
        // SAFETY: the class has put a slot there.
        let place = unsafe { handle.as_ptr().byte_add(offset).cast::<*mut PyObject>() };
        // SAFETY: as above; null is replaced, so nothing is lost.
        unsafe { *place = value.into_ptr() };
    }
}

fn new_memory(class: &Class) -> *mut PyObject {
    // SAFETY: a live class of objects that the collector may track; it is not tracked yet.
    let object = unsafe { ffi::PyObject_GC_New::<PyObject>(class.own) };
    if object.is_null() {
        return object;
    }
    let fields = class.size - size_of::<PyObject>();
    // SAFETY: the object has `size` bytes.
    let begin = unsafe { object.cast::<u8>().add(size_of::<PyObject>()) };
    // SAFETY: these bytes are its fields, all of them pointers; null is an empty slot.
    unsafe { ptr::write_bytes(begin, 0, fields) };
    object
}

fn py_bool(py: Python<'_>, value: bool) -> Bound<'_, PyAny> {
    pyo3::types::PyBool::new(py, value).to_owned().into_any()
}

fn class_of(handle: *mut PyObject) -> &'static Class {
    let known = known();
    // SAFETY: a live object.
    let class = unsafe { ffi::Py_TYPE(handle) };
    let others = [&known.timer, &known.thread_safe];
    let other = others.into_iter().find(|other| other.own == class);
    other.unwrap_or(&known.plain)
}

/// Where a field of a handle is. The layouts agree where both classes have a field.
#[inline]
fn place(handle: *mut PyObject, field: Field) -> *mut *mut PyObject {
    let offset = known().timer.fields[field as usize];
    // SAFETY: `offset` is within the object: its class put a slot there.
    unsafe { handle.byte_add(offset).cast() }
}

/// Whether an object is one of asyncio's handles: then its fields are where those of ours are.
pub(crate) fn is_handle(object: &Bound<'_, PyAny>) -> bool {
    let base = known().plain.base;
    // SAFETY: two live classes.
    unsafe { ffi::PyType_IsSubtype(object.get_type_ptr(), base) != 0 }
}

/// A field; `None` where it was deleted. The handle must be [one](is_handle).
#[inline]
pub(crate) fn get<'py>(handle: &Bound<'py, PyAny>, field: Field) -> Option<Bound<'py, PyAny>> {
    debug_assert!(is_handle(handle));
    with_critical_section(handle, || {
        // SAFETY: a slot of a live handle, which is locked where there is no GIL.
        unsafe { taken(handle, field) }
    })
}

/// # Safety
///
/// The handle is [one](is_handle), and locked where there is no GIL.
#[inline]
unsafe fn taken<'py>(handle: &Bound<'py, PyAny>, field: Field) -> Option<Bound<'py, PyAny>> {
    // SAFETY: a slot of a live handle: null or an object that the handle keeps alive.
    let object = unsafe { *place(handle.as_ptr(), field) };
    // SAFETY: as above; the new reference outlives a change of the slot.
    unsafe { Bound::from_borrowed_ptr_or_opt(handle.py(), object) }
}

/// Sets a field. The handle must be [one](is_handle).
#[inline]
pub(crate) fn set<'py>(handle: &Bound<'py, PyAny>, field: Field, value: Bound<'py, PyAny>) {
    debug_assert!(is_handle(handle));
    let place = place(handle.as_ptr(), field);
    let before = with_critical_section(handle, || {
        // SAFETY: a slot of a live handle, which is locked where there is no GIL.
        unsafe { ptr::replace(place, value.into_ptr()) }
    });
    // SAFETY: the slot's reference is ours now. It may run a destructor; the slot is changed already.
    unsafe { ffi::Py_XDECREF(before) };
}

/// Whether a handle is cancelled. The handle must be [one](is_handle).
#[inline]
pub(crate) fn is_cancelled(handle: &Py<PyAny>) -> bool {
    let place = place(handle.as_ptr(), Field::Cancelled);
    // SAFETY: a slot of a live handle. Only its address is looked at, so it need not be locked.
    let flag = unsafe { AtomicPtr::from_ptr(place) }.load(Ordering::Relaxed);
    // SAFETY: a static of the interpreter.
    flag == unsafe { ffi::Py_True() }
}

/// # Safety
///
/// The handle is of the class that is thread-safe.
#[inline]
unsafe fn running_place(handle: *mut PyObject) -> *mut Running {
    let end = known().thread_safe.size - size_of::<Running>();
    // SAFETY: the class has reserved this room at its end.
    unsafe { handle.byte_add(end).cast() }
}

/// Who runs a handle; `None` for one that no other thread has to wait for.
#[inline]
fn running(handle: &Py<PyAny>) -> Option<&Running> {
    let class = &known().thread_safe;
    // SAFETY: a live object.
    if unsafe { ffi::Py_TYPE(handle.as_ptr()) } != class.own {
        return None;
    }
    // SAFETY: a handle of this class.
    let place = unsafe { running_place(handle.as_ptr()) };
    // SAFETY: it was made with its handle, and lives as long; all of it is atomic.
    Some(unsafe { &*place })
}

/// Waits until another thread has run a handle, if one just does.
pub(crate) fn wait_until_run(py: Python<'_>, handle: &Py<PyAny>) {
    if let Some(running) = running(handle) {
        running.wait(py);
    }
}

/// Calls a handle's callback in its context; a cancelled one does nothing. The error is the callback's.
#[inline]
pub(crate) fn run(py: Python<'_>, handle: &Py<PyAny>) -> PyResult<()> {
    let _run = running(handle).map(Running::begin);
    if is_cancelled(handle) {
        return Ok(());
    }
    let handle = handle.bind(py);
    // Kept alive here, since the callback may cancel its own handle, which empties the fields.
    // SAFETY: a live handle, which is locked where there is no GIL.
    let take = || unsafe { called(handle) };
    let [Some(callback), Some(arguments), Some(context)] = with_critical_section(handle, take)
    else {
        return Ok(());
    };
    if cfg!(Py_GIL_DISABLED) && callback.is_none() {
        // Cancelled in another thread since that was asked.
        return Ok(());
    }
    // From here on whatever the callback calls may keep it.
    // SAFETY: a live object, and attached.
    unsafe { hidden::reveal(context.as_ptr()) };
    // SAFETY: a live object; what is no context is an error with an exception set.
    if unsafe { ffi::PyContext_Enter(context.as_ptr()) } != 0 {
        return Err(PyErr::fetch(py));
    }
    let outcome = call(&callback, &arguments);
    // SAFETY: entered above.
    if unsafe { ffi::PyContext_Exit(context.as_ptr()) } != 0 {
        return outcome.and(Err(PyErr::fetch(py)));
    }
    outcome
}

/// What calling a handle takes: callback, arguments, context.
///
/// # Safety
///
/// The handle is [one](is_handle), and locked where there is no GIL.
// Field by field: a `map` over an array of them is a call, and cost a chain of callbacks a tenth.
#[inline]
unsafe fn called<'py>(handle: &Bound<'py, PyAny>) -> [Option<Bound<'py, PyAny>>; 3] {
    // SAFETY: a slot of a live handle.
    let callback = unsafe { taken(handle, Field::Callback) };
    // SAFETY: as above.
    let arguments = unsafe { taken(handle, Field::Arguments) };
    // SAFETY: as above.
    let context = unsafe { taken(handle, Field::Context) };
    [callback, arguments, context]
}

#[inline]
fn call(callback: &Bound<'_, PyAny>, arguments: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = callback.py();
    // A tuple, unless somebody wrote the slot: then the call says what is wrong.
    let arguments = arguments.cast::<PyTuple>()?;
    let tuple = arguments.as_ptr().cast::<ffi::PyTupleObject>();
    // SAFETY: a tuple's items lie one after the other, and live as long as it does.
    let items = unsafe { (&raw const (*tuple).ob_item).cast::<*mut PyObject>() };
    // SAFETY: as many live arguments as are said, and none by name.
    let result = unsafe {
        ffi::PyObject_Vectorcall(callback.as_ptr(), items, arguments.len(), ptr::null_mut())
    };
    // SAFETY: a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(py, result) }.map(drop)
}

/// The loop is done with a handle: if somebody else keeps it, the collector has to see it from now on.
#[inline]
pub(crate) fn let_go(py: Python<'_>, handle: Py<PyAny>) {
    // SAFETY: a live object.
    let is_kept = unsafe { ffi::Py_REFCNT(handle.as_ptr()) } > 1;
    if is_kept {
        show(&handle);
    }
    handle.drop_ref(py);
}

/// The collector sees a handle from now on, and its context. The handle must be [one](is_handle).
pub(crate) fn show(handle: &Py<PyAny>) {
    if cfg!(Py_GIL_DISABLED) {
        // It does, from the begin on.
        return;
    }
    let pointer = handle.as_ptr();
    // SAFETY: a live object of a class that the collector may track.
    if unsafe { ffi::PyObject_GC_IsTracked(pointer) } == 0 {
        // SAFETY: its fields are whole and it is not tracked yet.
        unsafe { ffi::PyObject_GC_Track(pointer.cast()) };
    }
    // SAFETY: a slot of a live handle: null, or an object that the handle keeps alive.
    let context = unsafe { *place(pointer, Field::Context) };
    // SAFETY: as above, and attached: whoever has a handle at hand is.
    unsafe { hidden::reveal(context) };
}

unsafe extern "C" fn plain_died(object: *mut PyObject) {
    // SAFETY: the interpreter calls this once, with the last reference gone.
    unsafe { died(object, &FREE_PLAIN) };
}

unsafe extern "C" fn timer_died(object: *mut PyObject) {
    // SAFETY: the interpreter calls this once, with the last reference gone.
    unsafe { died(object, &FREE_TIMER) };
}

unsafe extern "C" fn thread_safe_died(object: *mut PyObject) {
    // SAFETY: the interpreter calls this once, with the last reference gone.
    unsafe { died(object, &FREE_THREAD_SAFE) };
}

/// # Safety
///
/// The object is a handle without references, and the thread is attached.
unsafe fn died(object: *mut PyObject, free: &Free) {
    let Class { own, slots, .. } = class_of(object);
    // SAFETY: a handle; it does nothing where it is not tracked.
    unsafe { ffi::PyObject_GC_UnTrack(object.cast()) };
    // SAFETY: a handle, which nobody else uses any more.
    if unsafe { is_weakly_referred(object) } {
        // SAFETY: as above.
        unsafe { ffi::PyObject_ClearWeakRefs(object) };
    }
    // SAFETY: a slot of the object.
    let context = unsafe { *place(object, Field::Context) };
    // SAFETY: as above, and attached.
    unsafe { hidden::reveal(context) };
    for offset in slots {
        // SAFETY: a slot of the object.
        let place = unsafe { object.byte_add(*offset).cast::<*mut PyObject>() };
        // SAFETY: as above.
        let before = unsafe { ptr::replace(place, ptr::null_mut()) };
        // SAFETY: the slot's reference, or null.
        unsafe { ffi::Py_XDECREF(before) };
    }
    // SAFETY: attached, and the object is dead.
    if !unsafe { free.keep(object) } {
        // SAFETY: dead, and made by the collector's allocator.
        unsafe { ffi::PyObject_GC_Del(object.cast()) };
    }
    // SAFETY: each object holds a reference to its class.
    unsafe { ffi::Py_DECREF(own.cast()) };
}
