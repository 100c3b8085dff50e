//! Borrowed reading and writing into a buffer allocate nothing; owned reading allocates no more than the payload, whatever the
//! input claims. An allocator that counts is the witness, so this file is a test binary of its own with one test.

#![expect(
    unsafe_code,
    reason = "implementing GlobalAlloc needs it; every call is passed on unchanged"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use st_protocol::{Decoder, Frame, FrameRef, Payload, Verb, decode_ref};

struct Counting;

thread_local! {
    /// Calls and bytes asked for by this thread.
    static ASKED: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

// SAFETY: everything is the system allocator's; the counter is thread-local, needs no allocation and no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (calls, bytes) = ASKED.get();
        ASKED.set((calls + 1, bytes + layout.size()));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Calls and bytes asked for while `work` runs.
fn asked(work: impl FnOnce()) -> (usize, usize) {
    let before = ASKED.get();
    work();
    let after = ASKED.get();
    (after.0 - before.0, after.1 - before.1)
}

#[test]
fn memory_is_asked_for_only_where_it_is_promised() {
    let payloads = [
        vec![b'x'; 1400],
        vec![0; 1400],
        (0..=255).cycle().take(1400).collect::<Vec<u8>>(),
    ];
    for bytes in &payloads {
        let frame = Frame::new(Verb::Audio, Payload::from_bytes(bytes));
        let wire = frame.encode();
        let mut out = vec![0; wire.len()];
        let mut plain = vec![0; bytes.len()];

        let borrowed = asked(|| {
            assert_eq!(frame.encode_into(&mut out), Ok(wire.len()));
            assert_eq!(
                FrameRef::new(Verb::Audio, bytes).and_then(|f| f.encode_into(&mut out)),
                Ok(wire.len())
            );
            let read = decode_ref(&wire).expect("valid");
            assert_eq!(read.payload().copy_to(&mut plain), Ok(&bytes[..]));
            assert_eq!(read.encode_into(&mut out), Ok(wire.len()));
            let _ = std::hint::black_box(decode_ref(&wire[..700])).expect_err("cut");
        });
        assert_eq!(borrowed, (0, 0), "borrowed reading and encode_into");

        let mut decoder = Decoder::with_storage([0u8; 1400]);
        let pushed = asked(|| {
            for mut piece in wire.chunks(100) {
                while let Some(frame) = decoder.next_frame(&mut piece).expect("valid") {
                    assert_eq!(frame.payload().as_bytes(), Some(&bytes[..]));
                }
            }
        });
        assert_eq!(pushed, (0, 0), "a decoder over the caller's memory");

        // Blocks of small frames, with escapes and without, and what lies across a block, from one read into the caller's memory.
        let small = Frame::new(Verb::Audio, Payload::from_bytes(&bytes[..20])).encode();
        let read = [&small.repeat(40)[..], &wire, &small.repeat(40)].concat();
        let mut decoder = Decoder::with_storage([0u8; 1400]);
        let mut count = 0;
        let batched = asked(|| {
            for piece in read.chunks(1000) {
                let mut frames = decoder.frames(piece);
                while let Some(frame) = frames.next_frame().expect("valid") {
                    let payload = frame.payload().as_bytes().expect("plain");
                    assert_eq!(payload, &bytes[..payload.len()]);
                    count += 1;
                }
            }
        });
        assert_eq!((batched, count), ((0, 0), 81), "Decoder::frames");

        let (_, owned) = asked(|| drop(Frame::decode(&wire).expect("valid")));
        assert_eq!(owned, bytes.len(), "one copy of the payload");
    }

    // Whatever is wrong with an input, refusing it costs no memory.
    let mut long = vec![b'x'; 200_000];
    long[0] = 1;
    let refused = asked(|| {
        assert!(Frame::decode(&long).is_err());
        assert!(Frame::decode(&[5, 0, 5, 0]).is_err());
        assert!(Payload::try_from_bytes(&long).is_err());
    });
    assert_eq!(refused, (0, 0));

    // A decoder fed byte by byte asks for at most four times the payload, over all its growing.
    let wire = Frame::new(Verb::Audio, Payload::from_bytes(&[0; 65_535])).encode();
    let (_, grown) = asked(|| {
        let mut decoder = Decoder::new();
        for byte in &wire {
            let mut piece = std::slice::from_ref(byte);
            let _ = decoder.next_frame(&mut piece).expect("valid");
        }
    });
    assert!(grown <= 4 * 65_535, "{grown}");

    // Frames whole in the read and without escapes need none at all; escapes in small ones, a block's worth once.
    for (payload, most) in [(&b"abc"[..], 0), (b"a\0b", 128)] {
        let read = Frame::new(Verb::Audio, Payload::from_bytes(payload))
            .encode()
            .repeat(500);
        let (_, batched) = asked(|| {
            let mut decoder = Decoder::new();
            let mut frames = decoder.frames(&read);
            while frames.next_frame().expect("valid").is_some() {}
        });
        assert!(batched <= most, "{batched} bytes for {payload:02x?}");
    }
}
