//! A mail server that stores emails (RFC 5321), and refuses them as the test requires.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The server; clones are the same one.
#[derive(Clone, Default)]
pub struct Smtp(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    address: Option<SocketAddr>,
    replies: VecDeque<&'static str>,
    mails: Vec<Mail>,
}

/// An accepted email.
#[derive(Clone, Debug)]
pub struct Mail {
    pub to: String,
    /// Headers and content as they came, soft line breaks of quoted-printable removed.
    pub text: String,
}

impl Mail {
    /// The value of a header that is on one line.
    pub fn header(&self, name: &str) -> &str {
        let mut lines = self.text.lines();
        lines
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .unwrap_or_else(|| panic!("no {name} in {}", self.text))
    }
}

impl Smtp {
    pub async fn start() -> Self {
        let server = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        server.0.lock().unwrap().address = Some(listener.local_addr().unwrap());
        let accepting = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = accepting.clone();
                tokio::spawn(async move { server.converse(stream).await });
            }
        });
        server
    }

    /// The value for the setting.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.0.lock().unwrap().address.unwrap())
    }

    /// Sets the replies to the next emails; afterwards the reply is 250.
    pub fn answers(&self, replies: impl IntoIterator<Item = &'static str>) {
        self.0.lock().unwrap().replies.extend(replies);
    }

    /// The accepted emails.
    pub fn mails(&self) -> Vec<Mail> {
        self.0.lock().unwrap().mails.clone()
    }

    /// Whether all replies were given.
    pub fn has_answered(&self) -> bool {
        self.0.lock().unwrap().replies.is_empty()
    }

    async fn converse(&self, stream: TcpStream) -> Option<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 sink\r\n").await.ok()?;
        let mut to = String::new();
        while let Some(line) = lines.next_line().await.ok()? {
            let command = line.to_ascii_uppercase();
            let reply = if command.starts_with("DATA") {
                write.write_all(b"354 go on\r\n").await.ok()?;
                let mut text = String::new();
                while let Some(line) = lines.next_line().await.ok()? {
                    if line == "." {
                        break;
                    }
                    match line.strip_suffix('=') {
                        Some(soft) => text.push_str(soft),
                        None => text.extend([line.as_str(), "\n"]),
                    }
                }
                let mut inner = self.0.lock().unwrap();
                let reply = inner.replies.pop_front().unwrap_or("250 kept");
                if reply.starts_with('2') {
                    inner.mails.push(Mail { to: to.clone(), text });
                }
                reply
            } else if command.starts_with("RCPT TO:") {
                to = line[8..].trim_matches(['<', '>', ' ']).to_owned();
                "250 yes"
            } else if command.starts_with("QUIT") {
                write.write_all(b"221 bye\r\n").await.ok()?;
                return None;
            } else {
                "250 yes"
            };
            write.write_all(format!("{reply}\r\n").as_bytes()).await.ok()?;
        }
        None
    }
}
