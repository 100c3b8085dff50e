//! The tags of `docs/spec/stt-value.md` §1.1.

pub(super) const NULL: u8 = 0x00;
pub(super) const FALSE: u8 = 0x01;
pub(super) const TRUE: u8 = 0x02;
pub(super) const I8: u8 = 0x10;
pub(super) const I16: u8 = 0x11;
pub(super) const I32: u8 = 0x12;
pub(super) const I64: u8 = 0x13;
pub(super) const U8: u8 = 0x14;
pub(super) const U16: u8 = 0x15;
pub(super) const U32: u8 = 0x16;
pub(super) const U64: u8 = 0x17;
pub(super) const F32: u8 = 0x20;
pub(super) const F64: u8 = 0x21;
pub(super) const BYTES: u8 = 0x30;
pub(super) const STR: u8 = 0x31;
pub(super) const LIST: u8 = 0x40;
pub(super) const DICT: u8 = 0x41;

/// The one NaN that is written (§2.3).
pub(super) const NAN: u64 = 0x7ff8_0000_0000_0000;
/// The one NaN of 32 bits that is read.
pub(super) const NAN_F32: u32 = 0x7fc0_0000;
