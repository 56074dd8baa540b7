//! The border to CPython's C interface: the only `unsafe` of this crate (docs/SAFETY.md).
//!
//! PyO3 is used wherever it is fast enough. What it cannot do is here: methods without the cost of
//! argument parsing (`method`), classes that extend asyncio's own (`handle`, `class`), objects made
//! without a dictionary of keywords each (`construct`), bytes that the kernel fills (`bytes`), descriptors that Python gives up
//! (`descriptor`), the OpenSSL that Python has loaded (`openssl`), iterators that PyO3 knows nothing of (`iterator`), whether an
//! object may be used again (`sole`) or is a loop of ours (`known`), contexts that the collector does not see while they wait (`hidden`), and state that is borrowed at run time without a lock
//! (`confined`). Everything that leaves this module is safe to call while attached to the interpreter.

pub(crate) mod bytes;
pub(crate) mod class;
pub(crate) mod confined;
pub(crate) mod construct;
pub(crate) mod context;
pub(crate) mod descriptor;
mod free;
pub(crate) mod handle;
pub(crate) mod heap;
pub(crate) mod hidden;
pub(crate) mod iterator;
pub(crate) mod known;
mod library;
pub(crate) mod method;
pub(crate) mod openssl;
mod running;
mod slots;
pub(crate) mod sole;
pub(crate) mod thread;
