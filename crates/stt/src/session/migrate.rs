use std::sync::Arc;

use super::Session;
use crate::{
    driver,
    error::{MigrateError, NodeError},
    node,
    transport::{path::Route, udp::UdpSocket},
};

impl Session {
    /// Moves this end of the session to another local address, and waits until the peer was
    /// reached from there: streams and datagrams go on meanwhile. `port` 0 takes one that is free.
    ///
    /// # Errors
    ///
    /// [`MigrateError`]: the session stays where it was, or is over.
    pub async fn migrate(&self, host: &str, port: u16) -> Result<(), MigrateError> {
        let core = self.core();
        let shared = &core.shared;
        let address = node::resolve(host, port).await?;
        let socket =
            UdpSocket::bind(address).map_err(|source| NodeError::Bind { address, source })?;
        let socket = Arc::new(socket);
        let (path, number) = shared.with(|state| {
            if let Some(reason) = core.close_reason() {
                return Err(reason.clone().into());
            }
            let Some(connection) = state.endpoint.connection_ref(core.handle) else {
                return Err(core.gone().into());
            };
            let Some(Route::Udp { remote, .. }) = Route::from_path(&connection.path()) else {
                return Err(MigrateError::NotUdp);
            };
            let number = u8::try_from(state.sockets.len());
            let number = number.map_err(|_| MigrateError::TooManySockets)?;
            if let Some(entry) = state.entry(core.handle) {
                entry.failed_path = None;
                // An accepted one counts as dialled from here on.
                if entry.remote.replace(remote).is_none() {
                    state.dial(remote);
                }
            }
            state.sockets.push(Arc::clone(&socket));
            let route = Route::Udp {
                remote,
                socket: number,
                local: None,
            };
            let path = route.to_path();
            if let Some(connection) = state.connection(core.handle) {
                connection.migrate(path);
            }
            state.wants_turn();
            Ok((path, number))
        })?;
        shared.spawn(driver::run(Arc::clone(shared), socket, number));
        core.wait(&core.changed, |state| {
            if let Some(reason) = core.close_reason() {
                return Some(Err(reason.clone().into()));
            }
            let Some(connection) = state.endpoint.connection_ref(core.handle) else {
                return Some(Err(core.gone().into()));
            };
            if connection.path() == path {
                return Some(Ok(()));
            }
            let entry = state.entry(core.handle);
            let failed = entry.is_some_and(|entry| entry.failed_path == Some(path));
            failed.then_some(Err(MigrateError::PathFailed))
        })
        .await
    }
}
