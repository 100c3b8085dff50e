//! What both sides share: threads, times, and an allocator that counts.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::mpsc,
    thread,
    time::Duration,
};

use tokio::runtime::Runtime;

/// How much of everything.
pub(crate) struct Size {
    pub(crate) bulk: usize,
    pub(crate) connects: usize,
    pub(crate) echoes: usize,
    pub(crate) idle: usize,
    pub(crate) rounds: usize,
}

impl Size {
    pub(crate) const FULL: Self = Self {
        bulk: 1 << 30,
        connects: 100,
        echoes: 3_000,
        idle: 1_000,
        rounds: 9,
    };
    pub(crate) const QUICK: Self = Self {
        bulk: 256 << 20,
        connects: 100,
        echoes: 3_000,
        idle: 1_000,
        rounds: 2,
    };
}

/// Runs `server`, which gives its port first, and then `client` on this thread; each on a runtime of its own.
pub(crate) fn both<S, C, T>(
    server: impl FnOnce(mpsc::Sender<u16>) -> S + Send + 'static,
    client: impl FnOnce(u16) -> C,
) -> T
where
    S: Future<Output = ()>,
    C: Future<Output = T>,
{
    let (tell, told) = mpsc::channel();
    let server = thread::spawn(move || runtime().block_on(server(tell)));
    let port = told.recv().expect("the server starts");
    let outcome = runtime().block_on(client(port));
    server.join().expect("the server ends well");
    outcome
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

pub(crate) fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    quantile(times, 0.5)
}

/// Of sorted times.
pub(crate) fn quantile(times: &[Duration], part: f64) -> Duration {
    times[((times.len() - 1) as f64 * part) as usize]
}

thread_local! {
    static ALLOCATED: Cell<isize> = const { Cell::new(0) };
}

/// Bytes that this thread has allocated and not freed.
pub(crate) fn allocated() -> isize {
    ALLOCATED.get()
}

struct Counting;

#[expect(unsafe_code, reason = "an allocator is")]
// SAFETY: everything is the system's allocator's; counting in a thread-local cell allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATED.try_with(|sum| sum.set(sum.get() + layout.size() as isize));
        // SAFETY: passed on as it came.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let _ = ALLOCATED.try_with(|sum| sum.set(sum.get() - layout.size() as isize));
        // SAFETY: passed on as it came.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let more = size as isize - layout.size() as isize;
        let _ = ALLOCATED.try_with(|sum| sum.set(sum.get() + more));
        // SAFETY: passed on as it came.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
