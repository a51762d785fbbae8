//! The first key: where it is shown, and that it is in no log. With a separate database and the real binary.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::app::TestApp;

/// The output of a server until it serves, and its exit, after a stop or without one.
struct Said {
    log: String,
    out: String,
    code: Option<i32>,
}

/// Starts a server with these arguments; its standard output is a pipe unless another one is given.
fn serve(app: &TestApp, arguments: &[&str], stdout: Option<File>) -> Said {
    let mut command = app.command(&[&["serve"], arguments].concat());
    command
        .env("SITELOG_BIND", "127.0.0.1:0")
        .stdout(stdout.map_or_else(Stdio::piped, Stdio::from))
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let pid = Pid::from_raw(child.id().cast_signed()).unwrap();
    let mut log = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if line.starts_with("try: ") {
            kill_process(pid, Signal::TERM).unwrap();
        }
        log.push_str(&line);
        log.push('\n');
    }
    let ended = child.wait_with_output().unwrap();
    Said {
        log,
        out: String::from_utf8(ended.stdout).unwrap(),
        code: ended.status.code(),
    }
}

async fn app() -> TestApp {
    TestApp::builder().guarded().without_projector().start().await
}

async fn count(app: &TestApp) -> i64 {
    sqlx::query_scalar("select count(*) from api_key")
        .fetch_one(app.log_pool())
        .await
        .unwrap()
}

async fn opens(app: &TestApp, key: &str) -> bool {
    app.call("GET", "/metrics").bearer(key).send().await.status == 200
}

fn key_in(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap().trim_end().to_owned()
}

#[tokio::test]
async fn without_a_terminal_and_a_file_no_key_is_made_and_it_is_said_what_makes_one() {
    let app = app().await;
    let said = serve(&app, &[], None);
    assert_eq!((said.code, count(&app).await), (Some(0), 0), "{}", said.log);
    assert!(
        said.log.contains("sitelog key create --scopes operator"),
        "{}",
        said.log
    );
    assert!(
        !said.log.contains("sitelog_") && said.out.is_empty(),
        "{}{}",
        said.log,
        said.out
    );
    let made = app
        .command(&["key", "create", "--scopes", "operator"])
        .output()
        .unwrap();
    assert!(opens(&app, String::from_utf8(made.stdout).unwrap().trim()).await);
    // From then on nothing is said of it.
    let said = serve(&app, &[], None);
    assert!(!said.log.contains("key create"), "{}", said.log);
}

#[tokio::test]
async fn the_first_key_goes_into_the_file_that_is_named_and_nowhere_else() {
    let app = app().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("key");
    let arguments = ["--first-key-file", file.to_str().unwrap()];
    let said = serve(&app, &arguments, None);
    let key = key_in(&file);
    assert!(opens(&app, &key).await);
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(said.log.contains(file.to_str().unwrap()), "{}", said.log);
    let secret = key.rsplit('_').next().unwrap();
    assert!(
        !said.log.contains(secret) && !said.out.contains(secret),
        "{}{}",
        said.log,
        said.out
    );
    // The file is there, and no key is to be written: all is well.
    let said = serve(&app, &arguments, None);
    assert_eq!((said.code, count(&app).await), (Some(0), 1), "{}", said.log);
    std::fs::remove_file(&file).unwrap();
    serve(&app, &arguments, None);
    assert!(!file.exists());
}

#[tokio::test]
async fn a_file_that_is_there_or_cannot_be_made_is_left_alone_and_no_key_is_made() {
    let app = app().await;
    let dir = tempfile::tempdir().unwrap();
    let (kept, link) = (dir.path().join("kept"), dir.path().join("link"));
    std::fs::write(&kept, "something else").unwrap();
    std::os::unix::fs::symlink(dir.path().join("elsewhere"), &link).unwrap();
    for file in [
        &kept,
        &link,
        &dir.path().join("no/such/folder"),
        &dir.path().to_owned(),
    ] {
        let said = serve(&app, &["--first-key-file", file.to_str().unwrap()], None);
        assert_eq!((said.code, count(&app).await), (Some(3), 0), "{}", said.log);
        assert!(said.log.contains(file.to_str().unwrap()), "{}", said.log);
    }
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "something else");
    assert!(!dir.path().join("elsewhere").exists());
}

#[tokio::test]
async fn on_a_terminal_the_first_key_is_shown_once_and_not_logged() {
    let app = app().await;
    let on_terminal = || {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap();
        let screen = File::options().write(true).open(name.to_str().unwrap()).unwrap();
        let said = serve(&app, &[], Some(screen));
        let mut shown = Vec::new();
        // It ends with an error once nobody has the other side open any more.
        let _ended = File::from(terminal).read_to_end(&mut shown);
        (said, String::from_utf8(shown).unwrap())
    };
    let (said, shown) = on_terminal();
    let key = shown
        .split("export SITELOG_KEY=")
        .nth(1)
        .unwrap_or_default()
        .trim();
    assert!(opens(&app, key).await, "{shown}");
    assert!(
        !said.log.contains(key.rsplit('_').next().unwrap()),
        "{}",
        said.log
    );
    let (_, shown) = on_terminal();
    assert_eq!(shown, "");
}
