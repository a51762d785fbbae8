//! Brokers that are unreachable, misconfigured, or refuse the credentials.

use std::path::Path;

use tempfile::TempDir;

use super::engines::{Engines, Nats, free_port};
use super::processes::{Node, sitelog};
use crate::support::app::wait_for;

async fn run(nats: &Nats, arguments: &[&str], settings: &[(&'static str, String)]) -> (Option<i32>, String) {
    let command = sitelog(arguments, nats.dir.path(), settings);
    let output = tokio::process::Command::from(command).output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// A certificate for this machine, signed by a new certificate authority: files for nats-server and for its clients.
fn certify(dir: &Path) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let ca = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let server = server.signed_by(&key, &issuer).unwrap();
    std::fs::write(dir.join("ca.pem"), ca.pem()).unwrap();
    std::fs::write(dir.join("server.pem"), server.pem()).unwrap();
    std::fs::write(dir.join("server.key"), key.serialize_pem()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_with_an_authority_of_its_own_and_a_small_disk() {
    let Some(engines) = Engines::find_or_skip() else {
        return;
    };
    let dir = TempDir::with_prefix("sitelog-tls-").unwrap();
    certify(dir.path());
    let file = |name: &str| dir.path().join(name).display().to_string();
    let more = format!(
        "jetstream: {{ max_file_store: 32MB }}\ntls: {{ cert_file: '{}', key_file: '{}' }}",
        file("server.pem"),
        file("server.key")
    );
    let nats = Nats::start(&engines, 1, &more);
    let mut admin = Vec::from(nats.settings("admin"));
    let init = ["nats", "init", "--results-mb", "8", "--log-mb", "8"];
    wait_for("NATS that nobody vouches for", async || {
        let (code, said) = run(&nats, &init, &admin).await;
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("cannot connect to NATS"), "{said}");
        said.contains("invalid peer certificate: UnknownIssuer")
            .then_some(())
    })
    .await;
    admin.push(("SITELOG_NATS__CA", file("nothing.pem")));
    let (code, missing) = run(&nats, &init, &admin).await;
    assert_eq!(code, Some(3));
    assert!(
        missing.contains("cannot read the certificates") && missing.contains("nothing.pem"),
        "{missing}"
    );
    admin.pop();
    admin.push(("SITELOG_NATS__CA", file("ca.pem")));
    let large = ["nats", "init", "--results-mb", "64", "--log-mb", "64"];
    let (code, full) = run(&nats, &large, &admin).await;
    assert_eq!(code, Some(3));
    assert!(
        full.contains("does not fit on the disk of the NATS server") && full.contains("--results-mb"),
        "{full}"
    );
    assert_eq!(run(&nats, &init, &admin).await.0, Some(0));
    assert_eq!(run(&nats, &["nats", "check"], &admin).await.0, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_broker_is_said_with_what_to_do() {
    let Some(engines) = Engines::find_or_skip() else {
        return;
    };
    let nats = Nats::start(&engines, 1, "");
    let admin = nats.settings("admin");
    // Before and after `nats init`.
    let check = async || run(&nats, &["nats", "check"], &admin).await;
    wait_for("NATS", async || {
        (check().await.1.contains("is missing")).then_some(())
    })
    .await;
    let (code, missing) = check().await;
    assert_eq!(code, Some(3));
    assert!(
        missing.contains("the stream SITELOG_main_RESULTS is missing")
            && missing.contains("sitelog nats init"),
        "{missing}"
    );
    nats.prepare(&[]).await;
    assert_eq!(check().await.0, Some(0));
    // A second run changes nothing. A stream with other settings is reported.
    let small = ["nats", "init", "--results-mb", "64", "--log-mb", "64"];
    assert_eq!(run(&nats, &small, &admin).await.0, Some(0));
    let context = async_nats::jetstream::new(nats.client("admin").await);
    let mut config = context
        .get_stream("SITELOG_main_RESULTS")
        .await
        .unwrap()
        .cached_info()
        .config
        .clone();
    config.discard = async_nats::jetstream::stream::DiscardPolicy::Old;
    context.update_stream(config).await.unwrap();
    let (code, differs) = run(&nats, &["nats", "init"], &admin).await;
    assert_eq!(code, Some(3));
    assert!(
        differs.contains("SITELOG_main_RESULTS has Old as discard, but New is required"),
        "{differs}"
    );
    // Existing keys are not replaced.
    let again = run(
        &nats,
        &["nats", "accounts", nats.dir.path().to_str().unwrap()],
        &[],
    )
    .await;
    assert_eq!(again.0, Some(3));
    assert!(
        again.1.contains("admin.nk") || again.1.contains("worker.nk"),
        "{}",
        again.1
    );

    // A worker exits if its credentials are wrong. It waits if the broker is unreachable.
    let stranger = nats.dir.path().join("stranger.nk");
    std::fs::write(&stranger, nkeys::KeyPair::new_user().seed().unwrap()).unwrap();
    let with = |url: String, key: &str| {
        [
            ("SITELOG_NATS__URL", url),
            ("SITELOG_NATS__CREDENTIALS", key.to_owned()),
        ]
    };
    let (code, refused) = run(&nats, &["worker"], &with(nats.url(), stranger.to_str().unwrap())).await;
    assert_eq!(code, Some(3), "{refused}");
    assert!(
        refused.contains("refuses these credentials") && refused.contains("stranger.nk"),
        "{refused}"
    );
    std::fs::write(&stranger, "hunter2").unwrap();
    let (code, nothing) = run(&nats, &["worker"], &with(nats.url(), stranger.to_str().unwrap())).await;
    assert_eq!(code, Some(3));
    assert!(
        nothing.contains("has no credentials of NATS") && !nothing.contains("hunter2"),
        "{nothing}"
    );
    let (code, nowhere) = run(&nats, &["worker"], &[]).await;
    assert_eq!(code, Some(2));
    assert!(nowhere.contains("--nats URL"), "{nowhere}");
    let away = format!("nats://127.0.0.1:{}", free_port());
    let (code, away_said) = run(&nats, &["follow"], &with(away.clone(), &nats.key("follower"))).await;
    assert_eq!(code, Some(3));
    assert!(
        away_said.contains("cannot connect to NATS") && away_said.contains(&away),
        "{away_said}"
    );
    let command = sitelog(&["worker"], nats.dir.path(), &with(away, &nats.key("worker")));
    let mut waiting = Node::start("waiting", nats.dir.path(), command);
    wait_for("a worker that waits for NATS", async || {
        waiting.said().contains("Cannot connect to NATS").then_some(())
    })
    .await;
    assert_eq!(waiting.terminate(), Some(0), "{}", waiting.said());
    // A role that needs NATS exits with an error.
    let (code, no_broker) = run(&nats, &["serve", "--roles", "dispatcher"], &[]).await;
    assert_eq!(code, Some(3));
    assert!(no_broker.contains("SITELOG_NATS__URL"), "{no_broker}");
}
