//! A small name server for tests, on a loopback port, UDP and TCP.

use std::net::SocketAddr;
use std::sync::Arc;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

/// Bytes of an answer that is sent by UDP.
const MAX_DATAGRAM: usize = 1_000;

/// One answer.
pub enum DnsReply {
    /// These records; none is `NODATA`.
    Records(Vec<RData>),
    /// There is no such name.
    NoName,
    /// `SERVFAIL`.
    Failure,
    /// Nothing.
    Silence,
}

type Zone = dyn Fn(&str, RecordType) -> DnsReply + Send + Sync;

/// A running server; it ends with the test's runtime.
pub struct TestDns(SocketAddr);

impl TestDns {
    /// Serves `zone`, which gets names without the trailing dot.
    pub async fn start(zone: impl Fn(&str, RecordType) -> DnsReply + Send + Sync + 'static) -> Self {
        let zone: Arc<Zone> = Arc::new(zone);
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let udp = UdpSocket::bind(address).await.unwrap();
        let known = Arc::clone(&zone);
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((length, peer)) = udp.recv_from(&mut buffer).await {
                let Some(answer) = answer(&*known, &buffer[..length]) else {
                    continue;
                };
                let whole = answer.to_vec().unwrap();
                let sent = if whole.len() > MAX_DATAGRAM {
                    answer.truncate().to_vec().unwrap()
                } else {
                    whole
                };
                udp.send_to(&sent, peer).await.unwrap();
            }
        });
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = tcp.accept().await {
                let zone = Arc::clone(&zone);
                tokio::spawn(async move {
                    while let Ok(length) = socket.read_u16().await {
                        let mut question = vec![0; usize::from(length)];
                        socket.read_exact(&mut question).await.unwrap();
                        let Some(answer) = answer(&*zone, &question) else {
                            return;
                        };
                        let bytes = answer.to_vec().unwrap();
                        socket
                            .write_u16(u16::try_from(bytes.len()).unwrap())
                            .await
                            .unwrap();
                        socket.write_all(&bytes).await.unwrap();
                    }
                });
            }
        });
        Self(address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0
    }
}

fn answer(zone: &Zone, question: &[u8]) -> Option<Message> {
    let question = Message::from_vec(question).unwrap();
    let query = question.queries[0].clone();
    let name = query.name().to_ascii().to_ascii_lowercase();
    let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
    answer.add_query(query.clone());
    match zone(name.trim_end_matches('.'), query.query_type()) {
        DnsReply::Records(records) => {
            for data in records {
                answer.add_answer(Record::from_rdata(query.name().clone(), 60, data));
            }
        }
        DnsReply::NoName => answer.metadata.response_code = ResponseCode::NXDomain,
        DnsReply::Failure => answer.metadata.response_code = ResponseCode::ServFail,
        DnsReply::Silence => return None,
    }
    Some(answer)
}

/// A name as records hold it.
pub fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}
