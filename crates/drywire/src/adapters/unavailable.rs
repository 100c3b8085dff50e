//! An adapter that could not be made.

use drybox::{
    adapter::{Adapter, AdapterConfig, AdapterFault, Capabilities, Context, Pulled, SduBatch},
    radio::Block,
};

/// Fails when it is opened, so that the run reports it with side and spec like any other failure.
#[derive(Debug)]
pub struct Unavailable(pub AdapterFault);

impl Unavailable {
    fn fail<T>(&self) -> Result<T, AdapterFault> {
        Err(self.0.clone())
    }
}

impl Adapter for Unavailable {
    fn open(&mut self, _: &AdapterConfig) -> Result<Capabilities, AdapterFault> {
        self.fail()
    }

    fn init(&mut self, _: &mut Context) -> Result<(), AdapterFault> {
        self.fail()
    }

    fn start(&mut self, _: &mut Context) -> Result<(), AdapterFault> {
        self.fail()
    }

    fn on_timer(&mut self, _: &mut Context, _: u64) -> Result<(), AdapterFault> {
        self.fail()
    }

    fn poll_link_tx(
        &mut self,
        _: &mut Context,
        _: usize,
        _: &mut SduBatch,
    ) -> Result<(), AdapterFault> {
        self.fail()
    }

    fn on_link_rx(&mut self, _: &mut Context, _: &SduBatch) -> Result<(), AdapterFault> {
        self.fail()
    }

    fn pull_tx_block(&mut self, _: &mut Context, _: &mut Block) -> Result<Pulled, AdapterFault> {
        self.fail()
    }

    fn push_rx_block(&mut self, _: &mut Context, _: &Block) -> Result<(), AdapterFault> {
        self.fail()
    }

    fn is_handshake_complete(&mut self, _: &mut Context) -> Result<Option<bool>, AdapterFault> {
        self.fail()
    }

    fn send_sdu(&mut self, _: &mut Context, _: &[u8]) -> Result<(), AdapterFault> {
        self.fail()
    }

    fn stop(&mut self, _: &mut Context) -> Result<(), AdapterFault> {
        // It never ran.
        Ok(())
    }
}
