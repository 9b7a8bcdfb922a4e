//! What can be asked of a server, each by its name.

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::task::JoinSet;

use crate::client::{self, Client, H3_NO_ERROR};
use crate::error::{Failure, failure, same};

/// How long a server may take over what it does by itself.
const SOON: Duration = Duration::from_secs(10);

/// Runs a case. Those that wait for something which happens to the server say `open` on standard
/// output when it may happen.
pub async fn run(port: u16, authority: &Path, case: &str, n: &[usize]) -> Result<(), Failure> {
    if let ("load", [requests, connections, streams]) = (case, n) {
        return load(port, authority, *requests, *connections, *streams).await;
    }
    let client = Client::connect(port, authority).await?;
    match (case, n) {
        ("get", []) => get(&client).await?,
        ("head", []) => head(&client).await?,
        ("echo", [bytes]) => echo(&client, *bytes).await?,
        ("upload", [mebibytes]) => upload(&client, *mebibytes).await?,
        ("trailers", []) => trailers(&client).await?,
        ("streams", [count]) => streams(&client, *count).await?,
        ("farewell", [millis]) => farewell(&client, *millis).await?,
        ("reset", []) => reset(&client).await?,
        _ => return Err(failure(format!("there is no case '{case}' with {} numbers", n.len()))),
    }
    client.close().await;
    Ok(())
}

async fn get(client: &Client) -> Result<(), Failure> {
    let answer = client.get("/protocol").await?;
    same("status", StatusCode::OK, answer.status)?;
    same("content", &b"HTTP/3"[..], &answer.content[..])?;
    same("trailers", None, answer.trailers)
}

async fn head(client: &Client) -> Result<(), Failure> {
    let mut stream = client::open(client.sender.clone(), Method::HEAD, "/bytes?n=70000").await?;
    stream.finish().await?;
    let answer = client::receive(&mut stream).await?;
    let length = answer.headers.get("content-length").map(HeaderValue::as_bytes);
    same("content-length", Some(&b"70000"[..]), length)?;
    same("bytes of content", 0, answer.content.len())
}

/// Content that the server sends back.
async fn echo(client: &Client, bytes: usize) -> Result<(), Failure> {
    // No two blocks of any size are the same.
    let content: Bytes = (0..bytes as u64).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
    let stream = client::open(client.sender.clone(), Method::POST, "/echo").await?;
    let (mut send, mut receive) = stream.split();
    let sent = {
        let content = content.clone();
        tokio::spawn(async move {
            for at in (0..content.len()).step_by(60_000) {
                let end = content.len().min(at + 60_000);
                send.send_data(content.slice(at..end)).await?;
            }
            send.finish().await
        })
    };
    let answer = client::receive(&mut receive).await?;
    sent.await??;
    same("status", StatusCode::OK, answer.status)?;
    let got = answer.content;
    if got == content {
        return Ok(());
    }
    Err(failure(format!("{} bytes came back that are not the {bytes} sent", got.len())))
}

/// Content that a handler reads while it arrives, and counts.
async fn upload(client: &Client, mebibytes: usize) -> Result<(), Failure> {
    let start = Instant::now();
    let piece = Bytes::from(vec![b'x'; 1 << 20]);
    let mut stream = client::open(client.sender.clone(), Method::POST, "/count").await?;
    for _ in 0..mebibytes {
        stream.send_data(piece.clone()).await?;
    }
    stream.finish().await?;
    let answer = client::receive(&mut stream).await?;
    same("status", StatusCode::OK, answer.status)?;
    same("bytes", (mebibytes << 20).to_string().as_bytes(), &answer.content[..])?;
    println!("{mebibytes} MiB in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// Both ways.
async fn trailers(client: &Client) -> Result<(), Failure> {
    let mut stream = client::open(client.sender.clone(), Method::POST, "/trailers").await?;
    stream.send_data(Bytes::from_static(b"content")).await?;
    let mut sent = HeaderMap::new();
    sent.insert("x-sum", HeaderValue::from_static("of the request"));
    stream.send_trailers(sent).await?;
    stream.finish().await?;
    let answer = client::receive(&mut stream).await?;
    same("content", &b"of the request"[..], &answer.content[..])?;
    let got = answer.trailers.as_ref().and_then(|fields| fields.get("x-sum"));
    same("trailer", Some(&HeaderValue::from_static("of the response")), got)
}

/// All at once, each with its own answer.
async fn streams(client: &Client, count: usize) -> Result<(), Failure> {
    let mut tasks = JoinSet::new();
    for number in 0..count {
        let sender = client.sender.clone();
        tasks.spawn(async move {
            let answer = client::get(sender, &format!("/number?n={number}")).await?;
            same("answer", number.to_string().as_bytes(), &answer.content[..])
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(())
}

/// A server that ends: it says GOAWAY, finishes the request in its work, and closes without error.
async fn farewell(client: &Client, millis: usize) -> Result<(), Failure> {
    let target = format!("/slow?ms={millis}&name=farewell");
    let mut stream = client::open(client.sender.clone(), Method::GET, &target).await?;
    stream.finish().await?;
    println!("open");
    let answer = client::receive(&mut stream).await?;
    same("status", StatusCode::OK, answer.status)?;
    // A request of its own after GOAWAY: not sent, or refused in a way that allows another try.
    if let Ok(late) = client.get("/protocol").await {
        return Err(failure(format!("a request after GOAWAY got {}", late.status)));
    }
    let reason = tokio::time::timeout(SOON, client.quic.closed())
        .await
        .map_err(|_| failure("the server has not closed"))?;
    match reason {
        quinn::ConnectionError::ApplicationClosed(close)
            if close.error_code == H3_NO_ERROR.into() =>
        {
            Ok(())
        }
        reason => Err(failure(format!("the connection ended with {reason:?}"))),
    }
}

/// A server that has forgotten the connection: it says so (RFC 9000, 10.3).
async fn reset(client: &Client) -> Result<(), Failure> {
    same("status", StatusCode::OK, client.get("/protocol").await?.status)?;
    println!("open");
    let reason = tokio::time::timeout(SOON, client.quic.closed())
        .await
        .map_err(|_| failure("nobody has told that the connection is gone"))?;
    match reason {
        quinn::ConnectionError::Reset => Ok(()),
        reason => Err(failure(format!("not a stateless reset: {reason:?}"))),
    }
}

async fn load(
    port: u16,
    authority: &Path,
    requests: usize,
    connections: usize,
    streams: usize,
) -> Result<(), Failure> {
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    let mut clients = Vec::new();
    for _ in 0..connections {
        let client = Client::connect(port, authority).await?;
        for stream in 0..streams {
            let lane = clients.len() * streams + stream;
            let share = requests / (connections * streams)
                + usize::from(lane < requests % (connections * streams));
            let sender = client.sender.clone();
            tasks.spawn(async move {
                for _ in 0..share {
                    let answer = client::get(sender.clone(), "/protocol").await?;
                    same("status", StatusCode::OK, answer.status)?;
                    same("content", &b"HTTP/3"[..], &answer.content[..])?;
                }
                Ok::<_, Failure>(())
            });
        }
        clients.push(client);
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    println!("{requests} requests in {:.1} s", start.elapsed().as_secs_f64());
    for client in clients {
        client.close().await;
    }
    Ok(())
}
