//! The server: real sockets, real closed connections.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::emulator::fault::{Fault, FaultKind};
use crate::emulator::server::{Server, serve};
use crate::emulator::settings::GzipAgents;

const LIST: &str = "/v1/people/me/connections?personFields=names";

/// A server with one contact, and a token for it.
async fn start() -> (Server, Arc<ManualClock>, String) {
    let mut kit = Kit::new();
    kit.add("Ada");
    kit.emulator.reset_counters();
    let clock = Arc::new(ManualClock::new(kit.now));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = serve(address, kit.emulator, clock.clone()).await.expect("a free port");
    (server, clock, kit.token)
}

/// Sends one request on a connection of its own and reads until the end.
async fn exchange(server: &Server, head: &str, body: &str) -> Vec<u8> {
    let mut socket = TcpStream::connect(server.address()).await.expect("connected");
    let request = format!("{head}\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    socket.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    // A reset instead of an end is a closed connection as well.
    let _ = socket.read_to_end(&mut answer).await;
    answer
}

fn list(token: &str, extra: &str) -> String {
    format!("GET {LIST} HTTP/1.1\r\nauthorization: Bearer {token}{extra}")
}

fn body(answer: &[u8]) -> &[u8] {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    &answer[end + 4..]
}

#[tokio::test]
async fn it_answers_over_a_real_connection() {
    let (server, clock, token) = start().await;
    let answer = exchange(&server, &list(&token, ""), "").await;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"));
    let parsed: Value = serde_json::from_slice(body(&answer)).expect("JSON");
    assert_eq!(parsed["connections"].as_array().map(Vec::len), Some(1));
    clock.advance(Duration::from_secs(3600));
    assert!(exchange(&server, &list(&token, ""), "").await.starts_with(b"HTTP/1.1 401"));
    assert_eq!(server.emulator().counters().method("people.connections.list").calls, 2);
    assert_eq!(server.url(), format!("http://{}", server.address()));
    server.stop().await.expect("stopped");
}

#[tokio::test]
async fn answers_are_compressed_only_for_those_who_accept_it() {
    let (server, _, token) = start().await;
    let plain = exchange(&server, &list(&token, ""), "").await;
    assert!(!String::from_utf8_lossy(&plain).to_lowercase().contains("content-encoding"));
    let packed = exchange(&server, &list(&token, "\r\naccept-encoding: gzip"), "").await;
    assert!(String::from_utf8_lossy(&packed).to_lowercase().contains("content-encoding: gzip"));
    assert!(serde_json::from_slice::<Value>(body(&packed)).is_err());
}

#[tokio::test]
async fn answers_may_be_packed_only_for_clients_that_name_gzip() {
    let (server, _, token) = start().await;
    server.emulator().settings_mut().gzip_agents = GzipAgents::Named;
    let is_packed = |answer: &[u8]| String::from_utf8_lossy(answer).to_lowercase().contains("content-encoding: gzip");
    let accepting = list(&token, "\r\naccept-encoding: gzip\r\nuser-agent: sync/1.0");
    assert!(!is_packed(&exchange(&server, &accepting, "").await));
    assert!(!is_packed(&exchange(&server, &list(&token, "\r\nuser-agent: sync/1.0 (gzip)"), "").await));
    let violations = server.emulator().counters().violations.clone();
    assert!(violations.len() == 2 && violations[0].contains("lacks gzip"), "{violations:?}");
    let naming = list(&token, "\r\naccept-encoding: gzip\r\nuser-agent: sync/1.0 (gzip)");
    assert!(is_packed(&exchange(&server, &naming, "").await));
    assert_eq!(server.emulator().counters().violations.len(), 2);
}

#[tokio::test]
async fn a_dropped_connection_is_closed_without_a_byte() {
    let (server, _, token) = start().await;
    for extra in ["", "\r\naccept-encoding: gzip"] {
        for kind in [FaultKind::Drop, FaultKind::DropAfter] {
            server.emulator().faults_mut().push(Fault::once("*", kind));
            assert_eq!(exchange(&server, &list(&token, extra), "").await, b"");
        }
    }
    assert!(exchange(&server, &list(&token, ""), "").await.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_truncated_answer_announces_more_than_it_sends() {
    let (server, _, token) = start().await;
    for extra in ["", "\r\naccept-encoding: gzip"] {
        server.emulator().faults_mut().push(Fault::once("*", FaultKind::Truncate));
        let answer = exchange(&server, &list(&token, extra), "").await;
        let text = String::from_utf8_lossy(&answer).to_lowercase();
        let length = text.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()).expect("a length");
        let announced: usize = length.parse().expect("a number");
        assert_eq!(body(&answer).len(), announced / 2, "{text}");
    }
}

#[tokio::test]
async fn the_control_api_is_served_too() {
    let (server, _, _) = start().await;
    let head = "POST /control/faults HTTP/1.1\r\ncontent-type: application/json";
    let answer = exchange(&server, head, r#"{"method":"people.get","kind":"drop"}"#).await;
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    assert_eq!(server.emulator().faults().pending().len(), 1);
}

/// A clock whose sleepers wait until they are let go.
#[derive(Debug)]
struct GatedClock {
    now: Timestamp,
    gate: tokio::sync::Semaphore,
    sleepers: tokio::sync::Semaphore,
}

#[async_trait::async_trait]
impl Clock for GatedClock {
    fn now(&self) -> Timestamp {
        self.now
    }

    async fn sleep(&self, _span: Duration) {
        self.sleepers.add_permits(1);
        self.gate.acquire().await.expect("open").forget();
    }
}

#[tokio::test]
async fn mutations_that_overlap_on_the_wire_are_a_violation() {
    let mut kit = Kit::new();
    kit.emulator.settings_mut().latency_ms = 50;
    let closed = || tokio::sync::Semaphore::new(0);
    let clock = Arc::new(GatedClock { now: kit.now, gate: closed(), sleepers: closed() });
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = Arc::new(serve(address, kit.emulator, clock.clone()).await.expect("a free port"));
    let head = format!(
        "POST /v1/people:createContact HTTP/1.1\r\nauthorization: Bearer {}\r\ncontent-type: application/json",
        kit.token
    );
    let create = || {
        let (server, head) = (Arc::clone(&server), head.clone());
        tokio::spawn(async move { exchange(&server, &head, r#"{"names":[{"givenName":"B"}]}"#).await })
    };
    let first = create();
    clock.sleepers.acquire().await.expect("open").forget();
    assert!(server.emulator().counters().violations.is_empty());
    let second = create();
    clock.sleepers.acquire().await.expect("open").forget();
    assert_eq!(server.emulator().counters().violations.len(), 1);
    clock.gate.add_permits(2);
    for task in [first, second] {
        assert!(task.await.expect("finished").starts_with(b"HTTP/1.1 200"));
    }
    let third = create();
    clock.sleepers.acquire().await.expect("open").forget();
    clock.gate.add_permits(1);
    third.await.expect("finished");
    assert_eq!(server.emulator().counters().violations.len(), 1, "one after the other is fine");
}
