use std::sync::Arc;

use super::Session;
use crate::{
    driver::{self, Signal},
    error::{MigrateError, NodeError},
    node,
    transport::{path::Route, udp::UdpSocket},
};

impl Session {
    /// Moves this end of the session to another local address, and waits until the peer was
    /// reached from there: streams and datagrams go on meanwhile. `port` 0 takes one that is free.
    /// A second call takes the place of one that still waits. The socket that was left is closed
    /// once no session uses it.
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
        let (path, number) = shared.with_wakes(|state, wakes| {
            if let Some(reason) = core.close_reason() {
                return Err(reason.clone().into());
            }
            let Some(connection) = state.endpoint.connection_ref(core.handle) else {
                return Err(core.gone().into());
            };
            let Some(Route::Udp { remote, .. }) = Route::from_path(&connection.path()) else {
                return Err(MigrateError::NotUdp);
            };
            let number = state.sockets.add(Arc::clone(&socket));
            let number = number.ok_or(MigrateError::TooManySockets)?;
            let route = Route::Udp {
                remote,
                socket: number,
                local: None,
            };
            let path = route.to_path();
            if let Some(entry) = state.entry(core.handle) {
                if entry.moving.replace(path).is_some() {
                    wakes.session(core, Signal::Changed);
                }
                entry.failed_path = None;
                // An accepted one counts as dialled from here on.
                let before = entry.remote.replace(remote);
                state.dial(remote);
                state.hang_up(before);
            }
            state.sockets.changed();
            if let Some(connection) = state.connection(core.handle) {
                connection.migrate(path);
            }
            state.wants_turn();
            Ok((path, number))
        })?;
        let driver = shared.spawn(driver::run(Arc::clone(shared), socket, number));
        shared.with(|state| state.sockets.driven_by(number, driver));
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
            let Some(entry) = state.entry(core.handle) else {
                return Some(Err(core.gone().into()));
            };
            if entry.failed_path == Some(path) {
                return Some(Err(MigrateError::PathFailed));
            }
            (entry.moving != Some(path)).then_some(Err(MigrateError::Overtaken))
        })
        .await
    }
}
