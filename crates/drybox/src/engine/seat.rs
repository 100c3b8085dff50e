//! One adapter in its place, with everything that belongs to its side.

use super::outcome::Halt;
use crate::{
    Side,
    adapter::{Adapter, AdapterFault, Callback, Capabilities, Context, EndpointError},
};

/// An adapter, its context and what it announced.
pub(super) struct Seat<'a> {
    pub(super) side: Side,
    pub(super) spec: String,
    pub(super) context: Context,
    pub(super) capabilities: Capabilities,
    pub(super) opened: bool,
    adapter: &'a mut dyn Adapter,
}

/// Both seats, left first.
pub(super) type Seats<'a> = [Seat<'a>; 2];

impl<'a> Seat<'a> {
    pub(super) fn new(
        side: Side,
        spec: String,
        context: Context,
        adapter: &'a mut dyn Adapter,
    ) -> Self {
        let capabilities = Capabilities::default();
        Self {
            side,
            spec,
            context,
            capabilities,
            opened: false,
            adapter,
        }
    }

    /// Loads the adapter and keeps what it announces.
    pub(super) fn open(&mut self) -> Result<(), Halt> {
        // Set first: a half-opened adapter may hold a process and is stopped too.
        self.opened = true;
        match self.adapter.open(self.context.config()) {
            Ok(capabilities) => {
                self.capabilities = capabilities;
                Ok(())
            }
            Err(fault) => Err(self.halt(Callback::Load, fault)),
        }
    }

    /// Makes one call into the adapter; its fault is given its place.
    #[inline]
    pub(super) fn call<T>(
        &mut self,
        callback: Callback,
        call: impl FnOnce(&mut dyn Adapter, &mut Context) -> Result<T, AdapterFault>,
    ) -> Result<T, Halt> {
        match call(&mut *self.adapter, &mut self.context) {
            Ok(value) => Ok(value),
            Err(fault) => Err(self.halt(callback, fault)),
        }
    }

    #[cold]
    pub(super) fn halt(&self, callback: Callback, fault: AdapterFault) -> Halt {
        if fault == AdapterFault::Interrupted {
            return Halt::Interrupted;
        }
        Halt::Endpoint(Box::new(EndpointError {
            side: self.side,
            spec: self.spec.clone(),
            callback,
            t_ms: self.context.now_ms(),
            fault,
        }))
    }
}
