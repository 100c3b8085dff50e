//! `drybox proxy` between real UDP sockets on the loopback (`docs/spec/drybox-proxy.md`).
//!
//! Nothing here waits by time: receivers wait for datagrams, the rest for what the proxy says
//! through its control socket. Time limits are guards against a hang, of 30 s.

mod command;
mod control;
mod wire;

use std::{
    net::{SocketAddr, UdpSocket},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use drybox::{
    relay::RelayLimits,
    scenario::{self, Overrides, Source},
};
use drywire::proxy::{
    self, Proxy, ProxyError, ProxyHost, ProxyOptions, ProxyReport, control::Request,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a test waits for what must come.
const GUARD: Duration = Duration::from_secs(30);

/// A network that does nothing.
const CLEAN: &str = "bearer: ott_udp, latency_ms: 0, jitter_ms: 0, loss_rate: 0, reorder_rate: 0";

/// What a proxy is started with.
fn options(network: &str, to: SocketAddr) -> ProxyOptions {
    let source = Source {
        name: "s.yaml".to_owned(),
        text: format!("seed: 7\nnetwork: {{{network}}}\n"),
    };
    let mut plan = scenario::load(&source, &Overrides::default()).expect("a scenario");
    ProxyOptions {
        listen: loopback(),
        to,
        name: "s".to_owned(),
        scenario: plan.points.remove(0).scenario,
        limits: RelayLimits {
            flows: 1000,
            held_bytes: 64 << 20,
            idle_us: 60_000_000,
        },
        out: None,
        record_flows: 64,
        capture: true,
        control: None,
        duration: None,
    }
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// A socket that waits no longer than the guard.
fn socket() -> UdpSocket {
    let socket = UdpSocket::bind(loopback()).expect("a socket");
    socket.set_read_timeout(Some(GUARD)).expect("a time limit");
    socket
}

fn address(socket: &UdpSocket) -> SocketAddr {
    socket.local_addr().expect("a bound socket")
}

/// The next datagram.
fn next(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 65_536];
    let (length, from) = socket.recv_from(&mut buffer).expect("a datagram in time");
    buffer.truncate(length);
    (buffer, from)
}

/// Interrupts once it is told to.
struct Until(Arc<AtomicBool>);

impl ProxyHost for Until {
    fn interrupted(&mut self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn warn(&mut self, message: &str) {
        panic!("{message}");
    }
}

/// A proxy on a thread of its own.
struct Running {
    /// Where it listens.
    address: SocketAddr,
    /// Its control socket.
    control: PathBuf,
    interrupt: Arc<AtomicBool>,
    thread: JoinHandle<Result<ProxyReport, ProxyError>>,
    folder: TempDir,
}

impl Running {
    fn start(mut options: ProxyOptions) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let control = folder.path().join("control");
        options.control = Some(control.clone());
        let proxy = Proxy::bind(options).expect("a proxy");
        let address = proxy.listen_addr().expect("an address");
        let interrupt = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&interrupt);
        let thread = thread::spawn(move || proxy.run(&mut Until(flag)));
        Self {
            address,
            control,
            interrupt,
            thread,
            folder,
        }
    }

    /// Asks and gets what must be a yes.
    fn ask(&self, request: &Request) -> Value {
        let answer = proxy::request(&self.control, request).expect("an answer");
        assert_eq!(answer["ok"], true, "{answer}");
        answer
    }

    fn set(&self, settings: Value) {
        let Value::Object(settings) = settings else {
            panic!("not an object");
        };
        self.ask(&Request::Set(settings));
    }

    fn stats(&self) -> Value {
        self.ask(&Request::Stats)["stats"].take()
    }

    /// Asks for statistics until they are as wanted; each question lets the proxy go on.
    fn stats_when(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let begin = Guard::begin();
        loop {
            let stats = self.stats();
            if wanted(&stats) {
                return stats;
            }
            begin.check(&stats);
        }
    }

    /// Ends the proxy.
    fn stop(self) -> (ProxyReport, TempDir) {
        self.ask(&Request::Stop);
        self.join()
    }

    /// Ends the proxy as Ctrl-C does.
    fn interrupt(self) -> (ProxyReport, TempDir) {
        self.interrupt.store(true, Ordering::Relaxed);
        self.join()
    }

    fn join(self) -> (ProxyReport, TempDir) {
        let report = self.thread.join().expect("the proxy does not panic");
        (report.expect("it ends well"), self.folder)
    }
}

/// Ends a test that waits for what never comes.
struct Guard(std::time::Instant);

impl Guard {
    #[expect(
        clippy::disallowed_methods,
        reason = "a guard against a hang, no measurement"
    )]
    fn begin() -> Self {
        Self(std::time::Instant::now())
    }

    fn check(&self, last: &Value) {
        assert!(
            self.0.elapsed() < GUARD,
            "it never came; the last was {last}"
        );
    }
}

/// How many datagrams of a direction the proxy has read, refused ones included.
fn read_so_far(stats: &Value) -> u64 {
    let sent = |direction: &str| {
        stats["directions"][direction]["sdus"]["sent"]
            .as_u64()
            .expect("a count")
    };
    let refused = |what: &str| stats["refused"][what].as_u64().expect("a count");
    sent("L>R") + sent("R>L") + refused("flows") + refused("held") + refused("descriptors")
}

/// Sends so many datagrams, each its number, never more at once than the kernel's buffers hold.
fn send_counted(proxy: &Running, from: &UdpSocket, count: u32) {
    let before = read_so_far(&proxy.stats());
    for first in (0..count).step_by(50) {
        let end = (first + 50).min(count);
        for n in first..end {
            from.send_to(&n.to_be_bytes(), proxy.address).expect("sent");
        }
        proxy.stats_when(|stats| read_so_far(stats) == before + u64::from(end));
    }
}

/// An empty object as settings' start.
fn setting(key: &str, value: impl Into<Value>) -> Value {
    json!({ key: value.into() })
}
