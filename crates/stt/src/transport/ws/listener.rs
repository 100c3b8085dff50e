use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};

use super::{Accept, Connection, WsError, WsListenOptions, accept};

/// Accepts connections until it is dropped, which ends them all. `serve_one` is called with each
/// one that has opened or was refused, in a task of its own.
pub(crate) async fn serve<F, R>(
    listener: TcpListener,
    options: WsListenOptions,
    what: Accept,
    serve_one: F,
) where
    F: Fn(SocketAddr, Result<Connection, WsError>) -> R + Clone + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let options = Arc::new(options);
    let handshakes = Arc::new(Semaphore::new(options.max_handshakes));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let Ok((tcp, remote)) = accepted else {
            // Out of file handles, most likely: some have to close first.
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        if connections.len() >= options.max_connections {
            continue;
        }
        let Ok(permit) = Arc::clone(&handshakes).try_acquire_owned() else {
            continue;
        };
        let (options, serve_one) = (Arc::clone(&options), serve_one.clone());
        connections.spawn(async move {
            let opened = accept(tcp, remote, &options, what).await;
            drop(permit);
            serve_one(remote, opened).await;
        });
    }
}

/// After the system refused to give a connection out.
const PAUSE: Duration = Duration::from_millis(100);
