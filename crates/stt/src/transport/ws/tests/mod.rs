//! Both ends over real sockets, against peers that do what they may not.

mod by_hand;
mod client;
mod server;

use std::{net::SocketAddr, time::Duration};

use bytes::BytesMut;
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle, time::timeout};

use super::*;

const WHAT: Accept = Accept {
    protocol: "test",
    limit: 1_000,
};

/// What a server has to tell.
#[derive(Debug)]
enum Told {
    Refused(WsError),
    Message(BytesMut),
    Ended(End),
}

/// A server that tells what comes and sends `outgoing` to every client.
struct Server {
    address: SocketAddr,
    told: mpsc::UnboundedReceiver<Told>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(options: WsListenOptions, outgoing: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (teller, told) = mpsc::unbounded_channel();
        let keep_alive = options.keep_alive;
        let task = tokio::spawn(serve(listener, options, WHAT, move |_, opened| {
            let (mut teller, outgoing) = (teller.clone(), outgoing.clone());
            async move {
                let told = match opened {
                    Ok(connection) => {
                        let (sender, mut queue) = mpsc::channel(outgoing.len().max(1));
                        for message in outgoing {
                            sender.try_send(message).unwrap();
                        }
                        // The sender is kept: only the peer ends it.
                        Told::Ended(pump(connection, &mut queue, &mut teller, keep_alive).await)
                    }
                    Err(error) => Told::Refused(error),
                };
                drop(teller.send(told));
            }
        }));
        Self {
            address,
            told,
            task,
        }
    }

    async fn told(&mut self) -> Told {
        within(self.told.recv()).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Deliver for mpsc::UnboundedSender<Told> {
    async fn deliver(&mut self, message: BytesMut) {
        drop(self.send(Told::Message(message)));
    }
}

/// A guard: nothing here takes that long.
async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(30), future)
        .await
        .expect("it ends within half a minute")
}
