//! What DryBox asks of an adapter, whatever it is written in.
//!
//! The engine drives two [`Adapter`]s in one fixed order (`docs/spec/engine.md`, section 2). Native
//! adapters implement the trait directly; Python objects and sidecar processes are wrapped by
//! implementations in other crates. One conformance suite runs against all of them.

mod batch;
mod capabilities;
mod config;
mod context;
mod fault;
mod limits;

pub use batch::SduBatch;
pub use capabilities::{ABI_VERSION, AudioParams, Capabilities, DEFAULT_SDU_MAX_BYTES};
pub use config::{AdapterConfig, CryptoConfig};
pub use context::{Context, Emitted};
pub use fault::{AdapterFault, Callback, EndpointError};
pub use limits::Limits;

use crate::radio::Block;

/// What [`Adapter::pull_tx_block`] gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pulled {
    /// The block was filled.
    Block,
    /// The adapter returned nothing (`None` in Python): silence, about which it is warned once.
    Nothing,
}

/// One end of a run.
///
/// The calls come in this order, on one thread, never re-entered: [`open`](Self::open),
/// [`init`](Self::init), [`start`](Self::start), then the callbacks of every tick, and
/// [`stop`](Self::stop) whatever happened before. Events are emitted through the [`Context`]; a
/// fault ends the run as an endpoint error (exit code 3).
///
/// Only [`open`](Self::open) must be written: what an adapter leaves out does nothing. A mode is asked
/// for only where the capabilities announce it.
pub trait Adapter {
    /// Constructs the adapter with its configuration and asks for its capabilities.
    ///
    /// `config.sdu_max_bytes` still holds the default here: the final value depends on what is
    /// announced and comes with [`init`](Self::init).
    fn open(&mut self, config: &AdapterConfig) -> Result<Capabilities, AdapterFault>;

    /// Hands over the final configuration.
    fn init(&mut self, _context: &mut Context) -> Result<(), AdapterFault> {
        Ok(())
    }

    /// The run begins; logical time is 0.
    fn start(&mut self, _context: &mut Context) -> Result<(), AdapterFault> {
        Ok(())
    }

    /// The clock reached `t_ms`. Not called when the capabilities say that there is no timer.
    fn on_timer(&mut self, _context: &mut Context, _t_ms: u64) -> Result<(), AdapterFault> {
        Ok(())
    }

    /// Mode A: appends at most `budget` SDUs that are ready to be sent in this tick.
    fn poll_link_tx(
        &mut self,
        _context: &mut Context,
        _budget: usize,
        _out: &mut SduBatch,
    ) -> Result<(), AdapterFault> {
        Ok(())
    }

    /// Mode A: takes the SDUs that arrived in this tick, in order of arrival.
    ///
    /// One call of the adapter's own `on_link_rx` for each; a batch, so that a sidecar needs one
    /// round trip.
    fn on_link_rx(&mut self, _context: &mut Context, _sdus: &SduBatch) -> Result<(), AdapterFault> {
        Ok(())
    }

    /// Mode B: fills `block` with the next 20 ms.
    fn pull_tx_block(
        &mut self,
        _context: &mut Context,
        _block: &mut Block,
    ) -> Result<Pulled, AdapterFault> {
        Ok(Pulled::Nothing)
    }

    /// Mode B: takes the next 20 ms from the peer.
    fn push_rx_block(
        &mut self,
        _context: &mut Context,
        _block: &Block,
    ) -> Result<(), AdapterFault> {
        Ok(())
    }

    /// Whether the adapter's handshake is complete; `None` when it has no such notion.
    ///
    /// Asked each tick while scripted text messages wait.
    fn is_handshake_complete(
        &mut self,
        _context: &mut Context,
    ) -> Result<Option<bool>, AdapterFault> {
        Ok(None)
    }

    /// Hands over a scripted text message to send. Only called when the capabilities say that the
    /// adapter takes them.
    fn send_sdu(&mut self, _context: &mut Context, _sdu: &[u8]) -> Result<(), AdapterFault> {
        Ok(())
    }

    /// The run ends. Called once on every adapter whose `open` was called, even after a fault.
    fn stop(&mut self, _context: &mut Context) -> Result<(), AdapterFault> {
        Ok(())
    }
}
