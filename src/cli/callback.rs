//! Where the consent page sends its answer: an address on this machine, for as long as one question is open.
//!
//! Whoever calls it gets a page that says what came of the answer. Calls that belong to no question are told so, and
//! change nothing.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Html;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A call of the address: what stood in its query, and who waits for the page.
pub struct Visit {
    /// The query, without its question mark.
    pub query: String,
    page: oneshot::Sender<Page>,
}

/// What a visitor is shown.
struct Page {
    status: StatusCode,
    text: String,
}

/// An address that listens.
pub struct Callback {
    address: SocketAddr,
    visits: mpsc::Receiver<Visit>,
    stop: CancellationToken,
    task: JoinHandle<io::Result<()>>,
}

impl Callback {
    /// Listens on a free port of the loopback interface.
    ///
    /// # Errors
    /// What the operating system says.
    pub async fn listen() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (sender, visits) = mpsc::channel(4);
        let router = Router::new().fallback(visited).with_state(sender);
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let task = tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(stopped).await });
        Ok(Callback { address, visits, stop, task })
    }

    /// The address, as the consent page has to know it.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The next call.
    pub async fn visit(&mut self) -> Option<Visit> {
        self.visits.recv().await
    }

    /// Listens no more. Returns when the last page has been sent.
    pub async fn close(self) {
        self.stop.cancel();
        // What the accept loop says on its way out helps nobody any more.
        let _ = self.task.await;
    }
}

impl Visit {
    /// Shows that all is well.
    pub fn welcome(self, text: &str) {
        self.show(StatusCode::OK, text);
    }

    /// Shows what is wrong.
    pub fn refuse(self, text: &str) {
        self.show(StatusCode::BAD_REQUEST, text);
    }

    fn show(self, status: StatusCode, text: &str) {
        // Who closed the window needs no page.
        let _ = self.page.send(Page { status, text: text.to_owned() });
    }
}

async fn visited(State(visits): State<mpsc::Sender<Visit>>, uri: Uri) -> (StatusCode, Html<String>) {
    let (page, shown) = oneshot::channel();
    let visit = Visit { query: uri.query().unwrap_or_default().to_owned(), page };
    let over = || Page { status: StatusCode::GONE, text: "Nobody waits for this answer any more.".to_owned() };
    let page = match visits.send(visit).await {
        Ok(()) => shown.await.unwrap_or_else(|_| over()),
        Err(_) => over(),
    };
    (page.status, Html(html(&page.text)))
}

fn html(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>contactsync</title>\
         <body style=\"font-family: sans-serif; margin: 4em auto; max-width: 32em\"><h1>contactsync</h1><p>{text}</p>"
    )
}
