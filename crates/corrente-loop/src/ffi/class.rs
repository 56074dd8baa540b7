//! Classes that extend a Python class and carry a Rust value.
//!
//! PyO3's classes cannot have a base that is written in Python, and `isinstance(transport,
//! asyncio.Transport)` has to hold. A carrying class puts one pointer behind its base's fields: null, or a
//! boxed value. The interpreter's own functions for classes with Python bases cannot be called from
//! a class with functions of its own (they would call back), so this module also does what those do
//! for the base: show the collector its slots, empty them, and free the object.
//!
//! Key invariant: the value is reached by shared reference only, and dropped when the object dies or
//! the collector breaks a cycle.

use std::ffi::{CStr, c_int, c_void};
use std::marker::PhantomData;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi::{self, PyObject, PyType_Slot, PyType_Spec, PyTypeObject};
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

use super::method::Method;
use super::slots::slots;

/// A value that an object carries.
pub(crate) trait Carried: Sync + Sized + 'static {
    /// Its class.
    fn class() -> &'static Class<Self>;

    /// The Python objects that it refers to.
    fn referred(&self, show: &mut dyn FnMut(&Py<PyAny>));
}

/// A class of objects that carry a `T`.
#[derive(Debug)]
pub(crate) struct Class<T> {
    known: OnceLock<Known>,
    /// The class of most of its objects: a walk over the bases of each would be a call of its own.
    usual: AtomicPtr<PyTypeObject>,
    carried: PhantomData<fn(T)>,
}

/// A class once it is made.
#[derive(Debug)]
struct Known {
    class: *mut PyTypeObject,
    /// The slots of its bases, in bytes from an object's begin.
    slots: Vec<usize>,
    /// Where the pointer is.
    offset: usize,
}

// SAFETY: the class is never freed (`create` keeps a reference), and the rest is never written again.
unsafe impl Sync for Known {}
// SAFETY: as above.
unsafe impl Send for Known {}

impl<T: Carried> Class<T> {
    pub(crate) const fn new() -> Self {
        Self {
            known: OnceLock::new(),
            usual: AtomicPtr::new(ptr::null_mut()),
            carried: PhantomData,
        }
    }

    /// Makes the class.
    ///
    /// # Errors
    ///
    /// As the interpreter says.
    pub(crate) fn create<'py>(
        &self,
        base: &Bound<'py, PyType>,
        name: &'static CStr,
        methods: &'static [Method],
    ) -> PyResult<Bound<'py, PyType>> {
        let offset = size(base).next_multiple_of(align_of::<*mut T>());
        let first = methods
            .first()
            .map_or(ptr::null_mut(), |first| first.definition().cast());
        let mut functions = [
            (ffi::Py_tp_dealloc, died::<T> as *mut c_void),
            (ffi::Py_tp_traverse, traverse::<T> as *mut c_void),
            (ffi::Py_tp_clear, clear::<T> as *mut c_void),
            (ffi::Py_tp_methods, first),
            (0, ptr::null_mut()),
        ]
        .map(|(slot, pfunc)| PyType_Slot { slot, pfunc });
        let mut spec = PyType_Spec {
            name: name.as_ptr(),
            basicsize: c_int::try_from(offset + size_of::<*mut T>())?,
            itemsize: 0,
            flags: (ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_BASETYPE | ffi::Py_TPFLAGS_HAVE_GC)
                as u32,
            slots: functions.as_mut_ptr(),
        };
        let bases = PyTuple::new(base.py(), [base])?;
        // SAFETY: spec and slots are whole, the methods end with `Method::END`, the name is static.
        let class = unsafe { ffi::PyType_FromSpecWithBases(&raw mut spec, bases.as_ptr()) };
        // SAFETY: a new reference, or null with an exception set.
        let class = unsafe { Bound::from_owned_ptr_or_err(base.py(), class) }?;
        let class = class.cast_into::<PyType>()?;
        let known = Known {
            class: class.clone().into_ptr().cast(),
            slots: slots(base)?,
            offset,
        };
        // The module is imported once; a second import would find the first one's class.
        drop(self.known.set(known));
        Ok(class)
    }

    /// The value that an object carries.
    ///
    /// # Errors
    ///
    /// `RuntimeError` where it carries none (yet, or any more), or is of another class.
    #[inline]
    pub(crate) fn get<'a>(&'static self, object: &'a Bound<'_, PyAny>) -> PyResult<&'a T> {
        let known = self.known.get().ok_or_else(empty)?;
        if !self.is_usual(object) && !self.extends(object, known) {
            return Err(empty());
        }
        // SAFETY: the object lives as long as this borrow of it.
        let carried = unsafe { known.place::<T>(object.as_ptr()) }.load(Ordering::Acquire);
        // SAFETY: null or a box that lives as long as the object. Only the collector takes it out
        // earlier, of objects that nobody can reach.
        unsafe { carried.as_ref() }.ok_or_else(empty)
    }

    #[inline]
    fn is_usual(&self, object: &Bound<'_, PyAny>) -> bool {
        object.get_type_ptr() == self.usual.load(Ordering::Relaxed)
    }

    /// Whether an object is of a class that extends this one; the first such class is the usual one from then on.
    #[cold]
    fn extends(&self, object: &Bound<'_, PyAny>, known: &Known) -> bool {
        let class = object.get_type_ptr();
        // SAFETY: two live classes.
        let extends = unsafe { ffi::PyType_IsSubtype(class, known.class) } != 0;
        if extends {
            let (nothing, order) = (ptr::null_mut(), Ordering::Relaxed);
            if self
                .usual
                .compare_exchange(nothing, class, order, order)
                .is_ok()
            {
                // SAFETY: a live class. It is kept from now on: no other one is ever found at its address.
                unsafe { ffi::Py_INCREF(class.cast()) };
            }
        }
        extends
    }

    /// Gives an object its value, once.
    ///
    /// # Errors
    ///
    /// `RuntimeError` where it carries one, or is of another class.
    pub(crate) fn put(&'static self, object: &Bound<'_, PyAny>, value: T) -> PyResult<()> {
        let known = self.known.get().ok_or_else(empty)?;
        // SAFETY: two live classes.
        let is_ours = unsafe { ffi::PyType_IsSubtype(object.get_type_ptr(), known.class) } != 0;
        if !is_ours {
            return Err(started());
        }
        // SAFETY: the object lives as long as this borrow of it.
        let place = unsafe { known.place::<T>(object.as_ptr()) };
        let carried = Box::into_raw(Box::new(value));
        let nothing = ptr::null_mut();
        // Two threads may start one object: the second one finds it started.
        let put = place.compare_exchange(nothing, carried, Ordering::AcqRel, Ordering::Acquire);
        if put.is_err() {
            // SAFETY: made above, and nobody else has it.
            drop(unsafe { Box::from_raw(carried) });
            return Err(started());
        }
        Ok(())
    }
}

impl Known {
    /// Where an object has its value.
    ///
    /// # Safety
    ///
    /// An object of this class, which lives for `'a`.
    unsafe fn place<'a, T>(&self, object: *mut PyObject) -> &'a AtomicPtr<T> {
        // SAFETY: the class reserved room for a pointer at this offset.
        let place = unsafe { object.byte_add(self.offset) };
        // SAFETY: as above; whoever reads or writes it comes through here.
        unsafe { AtomicPtr::from_ptr(place.cast()) }
    }
}

#[cold]
fn empty() -> PyErr {
    PyRuntimeError::new_err("the transport was not started, or is gone")
}

#[cold]
fn started() -> PyErr {
    PyRuntimeError::new_err("it has been started already")
}

fn size(class: &Bound<'_, PyType>) -> usize {
    // SAFETY: a live class.
    unsafe { (*class.as_type_ptr()).tp_basicsize as usize }
}

/// What is known of a class, from within a function that only its objects have.
fn known<T: Carried>() -> Option<&'static Known> {
    T::class().known.get()
}

unsafe extern "C" fn traverse<T: Carried>(
    object: *mut PyObject,
    visit: ffi::visitproc,
    argument: *mut c_void,
) -> c_int {
    let Some(known) = known::<T>() else {
        return 0;
    };
    let mut outcome = 0;
    let mut show = |shown: *mut PyObject| {
        if outcome == 0 && !shown.is_null() {
            // SAFETY: what the collector passed to this call, and a live object.
            outcome = unsafe { visit(shown, argument) };
        }
    };
    // SAFETY: an object refers to its class.
    show(unsafe { ffi::Py_TYPE(object) }.cast());
    for offset in &known.slots {
        // SAFETY: a slot of its bases.
        let slot = unsafe { object.byte_add(*offset) }.cast::<*mut PyObject>();
        // SAFETY: as above.
        show(unsafe { *slot });
    }
    // SAFETY: an object of this class, which lives while the collector asks.
    let carried = unsafe { known.place::<T>(object) }.load(Ordering::Acquire);
    // SAFETY: null or a box that lives as long as the object.
    if let Some(carried) = unsafe { carried.as_ref() } {
        carried.referred(&mut |referred| show(referred.as_ptr()));
    }
    outcome
}

unsafe extern "C" fn clear<T: Carried>(object: *mut PyObject) -> c_int {
    if let Some(known) = known::<T>() {
        // Attached already; this tells PyO3 so, for the references that are dropped.
        Python::attach(|_| {
            // SAFETY: the collector or the destructor calls this for an object that nobody can reach.
            unsafe { release::<T>(object, known) };
        });
    }
    0
}

/// # Safety
///
/// Nobody uses the object's value any more.
unsafe fn release<T: Carried>(object: *mut PyObject, known: &Known) {
    // SAFETY: an object of this class, which is not freed before this ends.
    let place = unsafe { known.place::<T>(object) };
    let carried = place.swap(ptr::null_mut(), Ordering::AcqRel);
    if !carried.is_null() {
        // SAFETY: it came from `Box::into_raw`, and is no longer reachable.
        drop(unsafe { Box::from_raw(carried) });
    }
    for offset in &known.slots {
        // SAFETY: a slot of its bases.
        let slot = unsafe { object.byte_add(*offset).cast::<*mut PyObject>() };
        // SAFETY: as above.
        let before = unsafe { ptr::replace(slot, ptr::null_mut()) };
        // SAFETY: the slot's reference, or null.
        unsafe { ffi::Py_XDECREF(before) };
    }
}

unsafe extern "C" fn died<T: Carried>(object: *mut PyObject) {
    // SAFETY: the interpreter calls this once, with the last reference gone.
    unsafe { ffi::PyObject_GC_UnTrack(object.cast()) };
    // SAFETY: as above.
    unsafe { clear::<T>(object) };
    // SAFETY: an object's class lives as long as the object.
    let class = unsafe { ffi::Py_TYPE(object) };
    // SAFETY: as above; every class has it.
    if let Some(free) = unsafe { (*class).tp_free } {
        // SAFETY: the object is dead.
        unsafe { free(object.cast()) };
    }
    // SAFETY: each object holds a reference to its class, a subclass's included: the interpreter leaves
    // that to the first base with a destructor of its own.
    unsafe { ffi::Py_DECREF(class.cast()) };
}
