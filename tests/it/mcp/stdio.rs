//! `sitelog mcp` with lines of JSON-RPC.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

/// An agent that has started the program.
struct Agent {
    process: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    last: u64,
}

impl Agent {
    fn start(mut command: std::process::Command) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut process = Command::from(command).kill_on_drop(true).spawn().unwrap();
        Self {
            input: process.stdin.take(),
            output: BufReader::new(process.stdout.take().unwrap()).lines(),
            process,
            last: 0,
        }
    }

    async fn write(&mut self, message: Value) {
        let input = self.input.as_mut().unwrap();
        input.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let id = self.last;
        self.write(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
            .await;
        loop {
            let line = self
                .output
                .next_line()
                .await
                .unwrap()
                .expect("the program answers");
            let said: Value = serde_json::from_str(&line).unwrap();
            if said["id"] == id {
                assert!(said["error"].is_null(), "{said}");
                return said["result"].clone();
            }
        }
    }

    async fn begin(&mut self) {
        let client = json!({ "name": "t", "version": "1" });
        let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
        let info = self.ask("initialize", params).await;
        assert_eq!(info["serverInfo"]["name"], "sitelog");
        self.write(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))
            .await;
        assert_eq!(
            self.ask("tools/list", json!({})).await["tools"]
                .as_array()
                .unwrap()
                .len(),
            9
        );
    }

    async fn tool(&mut self, name: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({ "name": name, "arguments": arguments }))
            .await
    }

    /// Ends its input; the program then exits.
    async fn end(mut self) {
        drop(self.input.take());
        assert!(
            self.output.next_line().await.unwrap().is_none(),
            "nothing follows"
        );
        let ended = self.process.wait().await.unwrap();
        assert!(ended.success(), "{ended}");
    }
}

async fn sites() -> Sites {
    let few = SitesOptions {
        sites: 3,
        urls_per_sitemap: 3,
        ..SitesOptions::default()
    };
    Sites::start(few).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_uses_a_running_server_with_the_rights_of_the_key() {
    let sites = sites().await;
    let server = Server::start(&sites, &[("SITELOG_AUTH__MODE", "required")]);
    let url = format!("http://{}", server.address());
    let key = server.first_key().unwrap().to_owned();
    let with = |key: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sitelog"));
        command
            .arg("mcp")
            .env("SITELOG_URL", &url)
            .env("SITELOG_KEY", key)
            .env("SITELOG_CONFIG", "/dev/null");
        Agent::start(command)
    };
    let mut agent = with(&key);
    agent.begin().await;
    let scan = agent
        .tool("scan_domain", json!({ "domain": "site00000.sites.test" }))
        .await;
    let site = Sites::site(0);
    assert_eq!(scan["structuredContent"]["title"], site.title(), "{scan}");
    agent.end().await;
    let mut stranger = with("sitelog_0000000000000000_nonsense");
    stranger.begin().await;
    let refused = stranger
        .tool("get_domain", json!({ "domain": "site00000.sites.test" }))
        .await;
    let words = refused["content"][0]["text"].as_str().unwrap();
    assert!(refused["isError"] == true && words.contains("401"), "{words}");
    stranger.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_it_uses_the_database_and_scans_itself() {
    let sites = sites().await;
    let mut server = Server::start(&sites, &[]);
    server.kill();
    let mut command = server.command(&["mcp"]);
    command
        .env("SITELOG_AUTH__MODE", "required")
        .env_remove("SITELOG_URL");
    let mut agent = Agent::start(command);
    agent.begin().await;
    let scan = agent
        .tool("scan_domain", json!({ "domain": "site00001.sites.test" }))
        .await;
    assert_eq!(scan["structuredContent"]["status"], "completed", "{scan}");
    let found = agent.tool("search_domains", json!({})).await;
    assert_eq!(found["structuredContent"]["count"], 1, "{found}");
    agent.end().await;
}

#[tokio::test]
async fn a_server_that_is_silent_and_an_address_that_is_none_are_told() {
    let command = |url: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sitelog"));
        command
            .arg("mcp")
            .env("SITELOG_URL", url)
            .env("SITELOG_CONFIG", "/dev/null");
        command
    };
    let mut wrong = command("localhost:8080");
    let output = wrong.stdin(Stdio::null()).output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(2),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut agent = Agent::start(command(&format!("http://{free}")));
    agent.begin().await;
    let refused = agent.tool("get_domain", json!({ "domain": "a.com" })).await;
    assert!(
        refused["content"][0]["text"]
            .as_str()
            .unwrap()
            .contains("does not respond"),
        "{refused}"
    );
    agent.end().await;
}
