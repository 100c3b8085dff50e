//! What carries a node's packets (`docs/spec/stt-node.md` sections 2 to 4).

#[expect(dead_code, reason = "the WebSocket begins here")]
pub(crate) mod links;
pub(crate) mod path;
pub(crate) mod udp;
