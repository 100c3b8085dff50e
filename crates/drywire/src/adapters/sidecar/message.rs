//! Requests and reports of the sidecar protocol (`docs/spec/sidecar.md`, sections 3 and 4).

use drybox::{
    Side,
    adapter::{
        AdapterConfig, AdapterFault, AudioParams, Callback, Capabilities, Emitted, SduBatch,
    },
    radio::{BLOCK_SAMPLES, Block},
    scenario::Mode,
};
use minicbor::{Decoder, Encoder, decode};

use super::value::{self, Written, counted};
use crate::adapters::contract::Wrong;

/// The protocol that this side speaks.
pub(super) const PROTOCOL_VERSION: u64 = 1;

const TICK: u8 = 16;
const HELLO: u8 = 17;
/// The callbacks in the order of their numbers on the wire.
const CALLBACKS: [Callback; 11] = [
    Callback::Load,
    Callback::Init,
    Callback::Start,
    Callback::OnTimer,
    Callback::PollLinkTx,
    Callback::OnLinkRx,
    Callback::PullTxBlock,
    Callback::PushRxBlock,
    Callback::IsHandshakeComplete,
    Callback::SendSdu,
    Callback::Stop,
];

/// A request's writer.
pub(super) type Out<'a, 'b> = &'a mut Encoder<&'b mut Vec<u8>>;

/// Writes the greeting to `out`, as a whole frame.
pub(super) fn hello(out: &mut Vec<u8>) {
    frame(out, |e| {
        e.array(3)?.u8(HELLO)?.u64(PROTOCOL_VERSION)?;
        e.str(concat!("drywire ", env!("CARGO_PKG_VERSION")))?.ok()
    });
}

/// Writes the request for all that one tick needs: every side's timer, then its poll (when the
/// budget is not 0) or its pull. One form, byte for byte, so that the host need not parse it.
pub(super) fn tick(out: &mut Vec<u8>, t_ms: u64, budget: u32, pull: bool) {
    out.clear();
    out.extend_from_slice(&[17, 0, 0, 0, 0x84, TICK, 0x1b]);
    out.extend_from_slice(&t_ms.to_be_bytes());
    out.push(0x1a);
    out.extend_from_slice(&budget.to_be_bytes());
    out.push(if pull { 0xf5 } else { 0xf4 });
}

/// Writes the request for one callback of one side, with `arguments` written by `write`.
pub(super) fn call(
    out: &mut Vec<u8>,
    callback: Callback,
    t_ms: u64,
    side: Side,
    arguments: u64,
    write: impl FnOnce(Out<'_, '_>) -> Written,
) {
    let number = CALLBACKS.iter().position(|&c| c == callback).unwrap_or(0);
    frame(out, |e| {
        e.array(3 + arguments)?
            .u8(number as u8)?
            .u64(t_ms)?
            .u8(side.index() as u8)?;
        write(e)
    });
}

/// Writes the arguments of `load`: the spec, cfg, and the two seeds.
pub(super) fn open_arguments(e: Out<'_, '_>, spec: &str, config: &AdapterConfig) -> Written {
    e.str(spec)?;
    write_config(e, config)?;
    e.bytes(&config.rng_seed.to_le_bytes())?;
    e.bytes(&config.python_seed.to_le_bytes())?.ok()
}

/// `cfg` as the adapter sees it: DryBox's own keys first, then the settings in their order.
fn write_config(e: Out<'_, '_>, config: &AdapterConfig) -> Written {
    const OWN: [&str; 7] = [
        "side",
        "tick_ms",
        "seed",
        "mode",
        "sdu_max_bytes",
        "out_dir",
        "crypto",
    ];
    let settings = || {
        config
            .settings
            .iter()
            .filter(|(key, _)| !OWN.contains(&key.as_str()))
    };
    let crypto = config.crypto.as_ref();
    e.map(6 + u64::from(crypto.is_some()) + settings().count() as u64)?;
    e.str("side")?.str(config.side.letter())?;
    e.str("tick_ms")?.u64(config.tick_ms)?;
    e.str("seed")?.u64(config.seed)?;
    e.str("mode")?.str(match config.mode {
        Mode::Byte => "byte",
        Mode::Audio => "audio",
    })?;
    e.str("sdu_max_bytes")?.u64(config.sdu_max_bytes as u64)?;
    e.str("out_dir")?;
    match &config.out_dir {
        Some(path) => e.str(&path.to_string_lossy())?,
        None => e.null()?,
    };
    if let Some(crypto) = crypto {
        e.str("crypto")?.map(5)?;
        e.str("priv")?.bytes(&crypto.private)?;
        e.str("pub")?.bytes(&crypto.public)?;
        e.str("peer_pub")?.bytes(&crypto.peer_public)?;
        e.str("key_id")?.str(&crypto.key_id)?;
        e.str("peer_key_id")?.str(&crypto.peer_key_id)?;
    }
    for (key, setting) in settings() {
        e.str(key)?;
        value::write(e, setting)?;
    }
    Ok(())
}

fn frame(out: &mut Vec<u8>, write: impl FnOnce(Out<'_, '_>) -> Written) {
    out.clear();
    out.extend_from_slice(&[0; 4]);
    write(&mut Encoder::new(&mut *out)).expect("memory takes every byte");
    let len = (out.len() - 4) as u32;
    out[..4].copy_from_slice(&len.to_le_bytes());
}

/// One thing that a callback did: an event, a result or a fault.
#[derive(Debug, PartialEq)]
pub(super) struct Report {
    pub(super) side: Side,
    pub(super) callback: Callback,
    pub(super) content: Content,
}

#[derive(Debug, PartialEq)]
pub(super) enum Content {
    Event(Emitted),
    Sdus(SduBatch),
    Block(Box<Block>),
    Nothing,
    Capabilities(Box<Capabilities>),
    Complete(Option<bool>),
    Wrong(Wrong),
    Fault(AdapterFault),
}

/// The version in the reply to the greeting.
pub(super) fn read_hello(body: &[u8]) -> Result<u64, decode::Error> {
    let mut d = Decoder::new(body);
    let count = counted(d.array()?)?;
    if count < 2 || d.u8()? != HELLO {
        return Err(decode::Error::message("not a greeting"));
    }
    d.u64()
}

/// The reports in the body of a reply.
pub(super) fn read_reports(body: &[u8]) -> Result<Vec<Report>, decode::Error> {
    let mut d = Decoder::new(body);
    let count = counted(d.array()?)?;
    let reports = (0..count)
        .map(|_| read_report(&mut d))
        .collect::<Result<_, _>>()?;
    if d.position() == body.len() {
        Ok(reports)
    } else {
        Err(decode::Error::message("bytes follow the reply"))
    }
}

fn read_report(d: &mut Decoder<'_>) -> Result<Report, decode::Error> {
    let fields = counted(d.array()?)?;
    let kind = d.u8()?;
    let side = match d.u8()? {
        0 => Side::Left,
        1 => Side::Right,
        _ => return Err(decode::Error::message("a side is 0 or 1")),
    };
    let callback = *CALLBACKS
        .get(usize::from(d.u8()?))
        .ok_or_else(|| decode::Error::message("unknown callback number"))?;
    let content = match (kind, fields) {
        (0, 5) => Content::Event(Emitted {
            kind: d.str()?.to_owned(),
            payload: value::read(d)?,
        }),
        (1, 4) => Content::Sdus(read_sdus(d)?),
        (2, 4) => Content::Block(Box::new(read_block(d)?)),
        (3, 3) => Content::Nothing,
        (4, 4) => Content::Capabilities(Box::new(read_capabilities(d)?)),
        (5, 4) => Content::Complete(optional(d, Decoder::bool)?),
        (6, 4..=6) => Content::Wrong(read_wrong(d)?),
        (7, 5) => Content::Fault(AdapterFault::Raised {
            message: d.str()?.to_owned(),
            traceback: optional(d, Decoder::str)?.map(str::to_owned),
        }),
        (8, 4) => Content::Fault(AdapterFault::Load(d.str()?.to_owned())),
        (9, 4) => Content::Fault(AdapterFault::Contract(d.str()?.to_owned())),
        (10, 3) => Content::Fault(AdapterFault::Interrupted),
        _ => return Err(decode::Error::message("unknown kind or length of report")),
    };
    Ok(Report {
        side,
        callback,
        content,
    })
}

fn read_sdus(d: &mut Decoder<'_>) -> Result<SduBatch, decode::Error> {
    let mut sdus = SduBatch::new();
    for _ in 0..counted(d.array()?)? {
        sdus.push(d.bytes()?);
    }
    Ok(sdus)
}

fn read_block(d: &mut Decoder<'_>) -> Result<Block, decode::Error> {
    let bytes = d.bytes()?;
    if bytes.len() != 2 * BLOCK_SAMPLES {
        return Err(decode::Error::message("a block is 320 bytes"));
    }
    let (samples, _) = bytes.as_chunks::<2>();
    Ok(std::array::from_fn(|i| i16::from_le_bytes(samples[i])))
}

fn read_wrong(d: &mut Decoder<'_>) -> Result<Wrong, decode::Error> {
    let index = |d: &mut Decoder<'_>| d.u32().map(|n| n as usize);
    Ok(match d.u8()? {
        0 => Wrong::ResultType {
            got: d.str()?.to_owned(),
        },
        1 => Wrong::ItemType {
            index: index(d)?,
            got: d.str()?.to_owned(),
        },
        2 => Wrong::OverBudget { count: index(d)? },
        3 => Wrong::TooLong {
            index: index(d)?,
            len: index(d)?,
        },
        4 => Wrong::BlockType {
            got: d.str()?.to_owned(),
        },
        5 => Wrong::BlockDtype {
            got: d.str()?.to_owned(),
        },
        6 => {
            let dimensions = counted(d.array()?)?;
            let got = (0..dimensions).map(|_| d.u64().map(|n| n as usize));
            Wrong::BlockShape {
                got: got.collect::<Result<_, _>>()?,
            }
        }
        7 => Wrong::BlockLayout,
        _ => return Err(decode::Error::message("unknown number of a wrong result")),
    })
}

fn read_capabilities(d: &mut Decoder<'_>) -> Result<Capabilities, decode::Error> {
    let mut capabilities = Capabilities {
        abi_version: None,
        ..Capabilities::default()
    };
    for _ in 0..counted(d.map()?)? {
        match d.str()? {
            "abi_version" => {
                capabilities.abi_version = optional(d, Decoder::str)?.map(str::to_owned);
            }
            "bytelink" => capabilities.bytelink = d.bool()?,
            "audioblock" => capabilities.audioblock = d.bool()?,
            "sdu_max_bytes" => capabilities.sdu_max_bytes = d.u32()? as usize,
            "audioparams" => capabilities.audioparams = optional(d, read_audioparams)?,
            "timer" => capabilities.timer = d.bool()?,
            "takes_messages" => capabilities.takes_messages = d.bool()?,
            "remarks" => {
                for _ in 0..counted(d.array()?)? {
                    capabilities.remarks.push(d.str()?.to_owned());
                }
            }
            // Room for what a later DryBox asks.
            _ => d.skip()?,
        }
    }
    Ok(capabilities)
}

fn read_audioparams(d: &mut Decoder<'_>) -> Result<AudioParams, decode::Error> {
    let mut params = AudioParams { sr: 0, block: 0 };
    for _ in 0..counted(d.map()?)? {
        match d.str()? {
            "sr" => params.sr = d.u32()?,
            "block" => params.block = d.u32()?,
            _ => d.skip()?,
        }
    }
    Ok(params)
}

/// Null, or what `read` makes of it.
fn optional<'b, T>(
    d: &mut Decoder<'b>,
    read: impl FnOnce(&mut Decoder<'b>) -> Result<T, decode::Error>,
) -> Result<Option<T>, decode::Error> {
    if d.datatype()? == minicbor::data::Type::Null {
        d.null()?;
        Ok(None)
    } else {
        read(d).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tick_request_is_an_ordinary_cbor_frame() {
        let mut bytes = Vec::new();
        tick(&mut bytes, 70_000, 64, true);
        assert_eq!(bytes[..4], (bytes.len() as u32 - 4).to_le_bytes());
        let mut d = Decoder::new(&bytes[4..]);
        assert_eq!(d.array().unwrap(), Some(4));
        assert_eq!((d.u8().unwrap(), d.u64().unwrap()), (TICK, 70_000));
        assert_eq!((d.u32().unwrap(), d.bool().unwrap()), (64, true));
        assert_eq!(d.position(), bytes.len() - 4);
    }

    #[test]
    fn reports_are_read_in_order() {
        // [[0, 1, 3, "x", {"n": 1}], [1, 1, 4, [h'aabb', h'']], [7, 0, 4, "E: no", null]]
        let body = b"\x83\x85\0\x01\x03\x61x\xa1\x61n\x01\x84\x01\x01\x04\x82\x42\xaa\xbb\x40\x85\x07\0\x04\x65E: no\xf6";
        let reports = read_reports(body).unwrap();
        assert_eq!(reports.len(), 3);
        assert_eq!(
            (reports[0].side, reports[0].callback),
            (Side::Right, Callback::OnTimer)
        );
        let Content::Sdus(sdus) = &reports[1].content else {
            panic!("{:?}", reports[1])
        };
        assert_eq!(sdus.iter().collect::<Vec<_>>(), [&[0xaa, 0xbb][..], b""]);
        assert_eq!(
            reports[2].content,
            Content::Fault(AdapterFault::raised("E: no"))
        );
    }

    #[test]
    fn what_is_not_a_reply_is_refused() {
        for body in [
            &b""[..],
            b"\xf6",
            b"\x80\x00",
            b"\x81",
            b"\x81\x83\x03\x02\x04",
            b"\x81\x83\x03\x00\x0b",
            b"\x81\x84\x02\0\x06\x42\0\0",
            b"\x81\x83\x63\x00\x00",
        ] {
            assert!(read_reports(body).is_err(), "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn any_reply_is_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..300)) {
            // The property is that it returns: no panic, no allocation ahead of the input.
            let reports = read_reports(&body).map_or(0, |reports| reports.len());
            prop_assert!(reports <= body.len());
        }

        #[test]
        fn a_damaged_reply_never_panics(at in 0usize..60, byte: u8) {
            let mut body = b"\x83\x85\0\x01\x03\x61x\xa1\x61n\x01\x84\x01\x01\x04\x82\x42\xaa\xbb\x40\x85\x07\0\x04\x65E: no\xf6".to_vec();
            if let Some(place) = body.get_mut(at) {
                *place = byte;
            }
            prop_assert!(read_reports(&body).map_or(0, |reports| reports.len()) <= body.len());
        }
    }
}
