//! Where a connection of OpenSSL's reads from and writes to: two buffers in memory.
//!
//! Like `BIO_s_mem`, with what that lacks: what is read and written is reached without a copy, and an idle
//! connection keeps no memory. The `BIO` and the session share the pipe; whoever goes last drops it.
//!
//! OpenSSL's callbacks may run without the GIL (Python's `do_handshake()` gives it up), so the buffers are locked.

use std::cell::RefCell;
use std::ffi::{c_char, c_int, c_long, c_void};
use std::io;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::LocalKey;

use corrente_driver::Descriptor;
use corrente_driver::socket::{self, Moved};

use super::functions::{Bio, BioMethod, Functions, Ssl};

/// `BIO_TYPE_SOURCE_SINK`.
const SOURCE_AND_SINK: c_int = 0x0400;
/// `BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY`.
const READ_LATER: c_int = 0x01 | 0x08;
/// All flags of that sort.
const LATER: c_int = 0x0f;
/// `BIO_CTRL_PENDING`, `BIO_CTRL_FLUSH`, `BIO_CTRL_DUP`, `BIO_CTRL_WPENDING`.
const PENDING: c_int = 10;
const FLUSH: c_int = 11;
const DUPLICATE: c_int = 12;
const WRITE_PENDING: c_int = 13;

/// What a thread keeps for the next batch at most, in bytes.
const SPARE_MOST: usize = 512 * 1024;
/// Bytes that are read from a socket at once.
const READ_MOST: usize = 68 * 1024;

thread_local! {
    /// Memory for what has come, used by one session after the other.
    static INCOMING: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    /// Memory for what is encrypted.
    static OUTGOING: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The two buffers.
#[derive(Debug, Default)]
pub(crate) struct Pipe(Mutex<Buffers>);

#[derive(Debug, Default)]
struct Buffers {
    incoming: Vec<u8>,
    /// Bytes of `incoming` that OpenSSL has taken.
    taken: usize,
    outgoing: Vec<u8>,
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, Buffers> {
        // A panic while it was held leaves both buffers whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives OpenSSL something to read.
    pub(crate) fn feed(&self, content: &[u8]) {
        let mut buffers = self.lock();
        if buffers.incoming.capacity() == 0 {
            buffers.incoming = kept(&INCOMING);
        }
        buffers.incoming.extend_from_slice(content);
    }

    /// Gives OpenSSL what a socket has, without a copy in between.
    ///
    /// # Errors
    ///
    /// As the kernel says.
    pub(crate) fn receive(&self, descriptor: Descriptor) -> io::Result<Moved> {
        self.lock().receive(descriptor)
    }

    /// Bytes that OpenSSL has not read.
    pub(crate) fn incoming(&self) -> usize {
        let buffers = self.lock();
        buffers.incoming.len() - buffers.taken
    }

    /// Bytes that OpenSSL has written.
    pub(crate) fn outgoing(&self) -> usize {
        self.lock().outgoing.len()
    }

    /// What OpenSSL has written; it is for [`Pipe::give_back`] afterwards.
    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.lock().outgoing)
    }

    /// Memory that is not needed any more is for whichever session is next.
    pub(crate) fn give_back(memory: Vec<u8>) {
        keep(&OUTGOING, memory);
    }
}

type Spare = LocalKey<RefCell<Vec<u8>>>;

/// Memory that was kept; none on a thread that ends.
fn kept(spare: &'static Spare) -> Vec<u8> {
    spare.try_with(RefCell::take).unwrap_or_default()
}

/// Keeps the larger one of what was kept and this.
fn keep(spare: &'static Spare, mut memory: Vec<u8>) {
    memory.clear();
    // On a thread that ends there is nothing to keep it for.
    let _ended = spare.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if (spare.capacity()..SPARE_MOST).contains(&memory.capacity()) {
            *spare = memory;
        }
    });
}

impl Buffers {
    fn receive(&mut self, descriptor: Descriptor) -> io::Result<Moved> {
        if self.incoming.capacity() == 0 {
            self.incoming = kept(&INCOMING);
        }
        let before = self.incoming.len();
        self.incoming.reserve(READ_MOST);
        let room = &mut self.incoming.spare_capacity_mut()[..READ_MOST];
        let moved = socket::read_uninit(descriptor, room);
        if let Ok(Moved::Bytes(length)) = moved {
            // SAFETY: the kernel has written so many bytes behind those before.
            unsafe { self.incoming.set_len(before + length) };
        }
        self.rest();
        moved
    }

    /// A connection that has nothing to read keeps no memory.
    fn rest(&mut self) {
        if self.taken == self.incoming.len() {
            self.taken = 0;
            let memory = std::mem::take(&mut self.incoming);
            keep(&INCOMING, memory);
        }
    }

    fn read(&mut self, room: *mut u8, size: usize) -> usize {
        let left = &self.incoming[self.taken..];
        let count = left.len().min(size);
        // SAFETY: OpenSSL's memory of `size` bytes, which is none of ours.
        unsafe { std::ptr::copy_nonoverlapping(left.as_ptr(), room, count) };
        self.taken += count;
        self.rest();
        count
    }

    fn write(&mut self, content: &[u8]) {
        if self.outgoing.capacity() == 0 {
            self.outgoing = kept(&OUTGOING);
        }
        self.outgoing.extend_from_slice(content);
    }
}

/// What the callbacks need; it is there before there is a `Bio` of ours.
struct Kind {
    functions: &'static Functions,
    method: NonNull<BioMethod>,
}

// SAFETY: a method is never changed once it is made.
unsafe impl Send for Kind {}
// SAFETY: as above.
unsafe impl Sync for Kind {}

static KIND: OnceLock<Option<Kind>> = OnceLock::new();

fn kind(functions: &'static Functions) -> Option<&'static Kind> {
    KIND.get_or_init(|| make(functions)).as_ref()
}

fn make(functions: &'static Functions) -> Option<Kind> {
    // SAFETY: OpenSSL's own function; it takes no argument.
    let number = unsafe { (functions.new_kind)() };
    if number < 0 {
        return None;
    }
    // SAFETY: a new type's number and a static name.
    let method = unsafe { (functions.new_method)(number | SOURCE_AND_SINK, c"corrente".as_ptr()) };
    let method = NonNull::new(method)?;
    let place = method.as_ptr();
    // SAFETY: a new method, and a function of the type that it takes. The same holds for the next three.
    let has_write = unsafe { (functions.set_method_write)(place, write) };
    // SAFETY: as above.
    let has_read = unsafe { (functions.set_method_read)(place, read) };
    // SAFETY: as above.
    let has_control = unsafe { (functions.set_method_control)(place, control) };
    // SAFETY: as above.
    let has_destroy = unsafe { (functions.set_method_destroy)(place, destroy) };
    let is_whole = [has_write, has_read, has_control, has_destroy] == [1; 4];
    is_whole.then_some(Kind { functions, method })
}

/// Puts a pipe where a connection's memories were.
pub(super) fn connect(
    functions: &'static Functions,
    ssl: NonNull<Ssl>,
    pipe: &Arc<Pipe>,
) -> Option<()> {
    let kind = kind(functions)?;
    // SAFETY: a method that is whole.
    let bio = NonNull::new(unsafe { (functions.new_bio)(kind.method.as_ptr()) })?.as_ptr();
    let data = Arc::into_raw(Arc::clone(pipe)).cast_mut().cast();
    // SAFETY: a live `Bio`; it has a reference to the pipe of its own, which `destroy` gives back.
    unsafe { (functions.set_bio_data)(bio, data) };
    // SAFETY: a live `Bio`.
    unsafe { (functions.set_bio_begun)(bio, 1) };
    // SAFETY: a live `Bio`: a second reference, since it is set twice.
    unsafe { (functions.share_bio)(bio) };
    // SAFETY: a live `SSL`, which takes the reference and drops the one to Python's memory.
    unsafe { (functions.set_reading_bio)(ssl.as_ptr(), bio) };
    // SAFETY: as above.
    unsafe { (functions.set_writing_bio)(ssl.as_ptr(), bio) };
    Some(())
}

/// The pipe of a `Bio`, while a callback of it runs.
fn pipe_of<'a>(bio: *mut Bio) -> Option<(&'static Functions, &'a Pipe)> {
    let kind = KIND.get()?.as_ref()?;
    // SAFETY: OpenSSL calls back with a live `Bio` of our kind.
    let data = unsafe { (kind.functions.bio_data)(bio) };
    // SAFETY: null, or the reference that `connect` gave it, which outlives the call.
    let pipe = unsafe { data.cast::<Pipe>().as_ref() };
    Some((kind.functions, pipe?))
}

unsafe extern "C" fn write(bio: *mut Bio, content: *const c_char, size: c_int) -> c_int {
    let (Some((functions, pipe)), Ok(length)) = (pipe_of(bio), usize::try_from(size)) else {
        return -1;
    };
    // SAFETY: a live `Bio`.
    unsafe { (functions.clear_bio_flags)(bio, LATER) };
    if length > 0 {
        // SAFETY: OpenSSL passes this many bytes.
        let content = unsafe { std::slice::from_raw_parts(content.cast(), length) };
        pipe.lock().write(content);
    }
    size
}

unsafe extern "C" fn read(bio: *mut Bio, room: *mut c_char, size: c_int) -> c_int {
    let (Some((functions, pipe)), Ok(length)) = (pipe_of(bio), usize::try_from(size)) else {
        return -1;
    };
    // SAFETY: a live `Bio`.
    unsafe { (functions.clear_bio_flags)(bio, LATER) };
    match pipe.lock().read(room.cast(), length) {
        0 if length > 0 => {
            // SAFETY: a live `Bio`.
            unsafe { (functions.set_bio_flags)(bio, READ_LATER) };
            -1
        }
        // No more than was asked for.
        count => c_int::try_from(count).unwrap_or(c_int::MAX),
    }
}

unsafe extern "C" fn control(
    bio: *mut Bio,
    command: c_int,
    _number: c_long,
    _pointer: *mut c_void,
) -> c_long {
    let Some((_, pipe)) = pipe_of(bio) else {
        return 0;
    };
    let size = match command {
        FLUSH | DUPLICATE => 1,
        PENDING => pipe.incoming(),
        WRITE_PENDING => pipe.outgoing(),
        _ => 0,
    };
    c_long::try_from(size).unwrap_or(c_long::MAX)
}

unsafe extern "C" fn destroy(bio: *mut Bio) -> c_int {
    let Some(Some(kind)) = KIND.get() else {
        return 0;
    };
    // SAFETY: the `Bio` that dies.
    let data = unsafe { (kind.functions.bio_data)(bio) };
    if !data.is_null() {
        // SAFETY: the reference that `connect` gave it.
        drop(unsafe { Arc::from_raw(data.cast::<Pipe>()) });
        // SAFETY: the `Bio` that dies.
        unsafe { (kind.functions.set_bio_data)(bio, std::ptr::null_mut()) };
    }
    1
}
