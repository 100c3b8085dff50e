//! What UDP and the AEAD allow: no protocol, no acknowledgements, whatever arrives counts.

use std::{
    io::IoSliceMut,
    net::UdpSocket,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};

const PACKET: usize = 1_452;
const SEGMENTS: usize = 44;
const TAG: usize = 16;

fn key() -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[3; 32]).expect("a key"))
}

fn socket() -> (UdpSocket, UdpSocketState) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    let state = UdpSocketState::new((&socket).into()).expect("options");
    state
        .set_recv_buffer_size((&socket).into(), 4 << 20)
        .expect("a buffer");
    state
        .set_send_buffer_size((&socket).into(), 4 << 20)
        .expect("a buffer");
    socket.set_nonblocking(false).expect("blocking");
    let wait = Some(Duration::from_millis(20));
    socket.set_read_timeout(wait).expect("a time-out");
    (socket, state)
}

/// The time in which `total` bytes would be received and opened.
pub(crate) fn bulk(total: usize) -> Duration {
    let (receiver, receiving) = socket();
    let (sender, sending) = socket();
    let destination = receiver.local_addr().expect("bound");
    let over = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&over);
    let feeding = thread::spawn(move || {
        let key = key();
        let mut batch = vec![0x5a; PACKET * SEGMENTS];
        while !stop.load(Ordering::Relaxed) {
            for packet in batch.chunks_exact_mut(PACKET) {
                let (body, place) = packet.split_at_mut(PACKET - TAG);
                let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
                let tag = key.seal_in_place_separate_tag(nonce, Aad::empty(), body);
                place.copy_from_slice(tag.expect("sealed").as_ref());
            }
            let transmit = Transmit {
                destination,
                ecn: None,
                contents: &batch,
                segment_size: Some(PACKET),
                src_ip: None,
            };
            let _ = sending.try_send(UdpSockRef::from(&sender), &transmit);
        }
    });
    let key = key();
    let mut buffers = vec![0; 4 << 16];
    let mut meta = [RecvMeta::default(); 4];
    let mut received = 0;
    let start = Instant::now();
    while received < total {
        let mut pieces = buffers.chunks_exact_mut(1 << 16);
        let mut slices: [IoSliceMut<'_>; 4] =
            std::array::from_fn(|_| IoSliceMut::new(pieces.next().expect("four")));
        let Ok(count) = receiving.recv(UdpSockRef::from(&receiver), &mut slices, &mut meta) else {
            continue;
        };
        for (meta, buffer) in meta
            .iter()
            .zip(buffers.chunks_exact_mut(1 << 16))
            .take(count)
        {
            for packet in buffer[..meta.len].chunks_mut(meta.stride) {
                let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
                // Sealed again and again without a new start: the plaintext is of no interest.
                received += key
                    .open_in_place(nonce, Aad::empty(), packet)
                    .expect("opens")
                    .len();
            }
        }
    }
    let time = start.elapsed();
    over.store(true, Ordering::Relaxed);
    feeding.join().expect("ends");
    time
}
