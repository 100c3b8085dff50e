//! What a microcontroller would do with the control wire: read frames as bytes come in, answer into a fixed buffer.

#![no_std]

use core::panic::PanicInfo;

use st_protocol::{Decoder, FieldWriter, FrameRef, Verb};

/// Takes the bytes that have arrived and writes the answers to `out`; returns their length, or 0 if anything is wrong.
pub fn answer(decoder: &mut Decoder<[u8; 256]>, mut input: &[u8], out: &mut [u8]) -> usize {
    let mut len = 0;
    while let Ok(Some(frame)) = decoder.next_frame(&mut input) {
        let mut payload = [0; 64];
        let mut fields = FieldWriter::new(&mut payload);
        let verb = match (frame.verb(), frame.payload().as_bytes()) {
            (Verb::Ping, _) => Verb::Ok,
            (_, Some(asked)) if fields.lbytes(asked).is_ok() => Verb::Error,
            _ => return 0,
        };
        let Ok(reply) = FrameRef::new(verb, fields.finish()) else {
            return 0;
        };
        let Some(room) = out.get_mut(len..) else {
            return 0;
        };
        let Ok(written) = reply.encode_into(room) else {
            return 0;
        };
        len += written;
    }
    len
}

/// Keeps [`answer`] in the library that is built.
#[unsafe(no_mangle)]
pub extern "C" fn st_protocol_nostd(byte: u8) -> usize {
    let mut out = [0; 16];
    answer(&mut Decoder::with_storage([0; 256]), &[byte, 0], &mut out)
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

#[cfg(feature = "alloc")]
mod with_alloc {
    use core::alloc::{GlobalAlloc, Layout};

    /// Has no memory to give: this program is built, never run.
    struct Empty;

    // SAFETY: a null pointer is an allowed answer, and nothing is ever given that could come back.
    unsafe impl GlobalAlloc for Empty {
        unsafe fn alloc(&self, _: Layout) -> *mut u8 {
            core::ptr::null_mut()
        }

        unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
    }

    #[global_allocator]
    static ALLOCATOR: Empty = Empty;

    /// Owned frames and the decoder with memory of its own.
    #[unsafe(no_mangle)]
    pub extern "C" fn st_protocol_nostd_alloc(depth: u8) -> usize {
        let wire = st_protocol::Frame::scan("/", depth).encode();
        let mut decoder = st_protocol::Decoder::new();
        decoder
            .next_frame(&mut &wire[..])
            .map_or(0, |frame| frame.map_or(0, |f| f.payload().len()))
    }
}
