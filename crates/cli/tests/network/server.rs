//! Servers on this machine that answer as told and write down what they were asked, and a place to run the binary in.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The account of everybody's credentials here.
pub(crate) const ACCOUNT: &str = "123456789012";
/// What a connection may wait for its next byte.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With its query, as it was sent.
    pub(crate) path: String,
    /// In lower case by name.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// True if it asks STS who is asking.
    pub(crate) fn is_identity(&self) -> bool {
        self.body.contains("Action=GetCallerIdentity")
    }

    /// True if it is about a bucket.
    pub(crate) fn is_s3(&self) -> bool {
        self.header("x-amz-content-sha256").is_some()
    }
}

/// What follows the head of an answer.
pub(crate) enum Body {
    Bytes(Vec<u8>),
    /// This again and again, until nobody listens.
    Endless(&'static str),
    /// So many spaces between braces.
    Spaces(usize),
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("etag", "\"1\"".to_owned())], body: Body::Bytes(body.into()) }
    }

    /// S3 refuses.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::new(status, format!("<Error><Code>{code}</Code><Message>no</Message></Error>"))
    }

    /// STS says whose the credentials are.
    pub(crate) fn identity() -> Self {
        Self::new(
            200,
            format!(
                "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::{ACCOUNT}:user/a</Arn>\
                 <UserId>A</UserId><Account>{ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
            ),
        )
    }
}

/// A server with what it was asked, in order.
pub(crate) struct Server {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Without TLS.
    pub(crate) fn plain(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self::start(None, answer)
    }

    /// With the certificate of these tests.
    pub(crate) fn tls(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let read = |name: &str| std::fs::read(certificate(name)).expect("read");
        let chain = CertificateDer::pem_slice_iter(&read("server.pem")).collect::<Result<Vec<_>, _>>().expect("PEM");
        let key = PrivateKeyDer::from_pem_slice(&read("server.key")).expect("PEM");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.expect("versions").with_no_client_auth().with_single_cert(chain, key).expect("a pair");
        Self::start(Some(Arc::new(config)), answer)
    }

    fn start(tls: Option<Arc<ServerConfig>>, answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, noted) = (Arc::new(answer), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answer, noted, tls) = (Arc::clone(&answer), Arc::clone(&noted), tls.clone());
                std::thread::spawn(move || {
                    stream.set_read_timeout(Some(PATIENCE)).expect("set");
                    // Whoever goes away, or does not trust, is what some tests are about.
                    let _gone = match tls {
                        None => serve(stream, &*answer, &noted),
                        Some(config) => {
                            let connection = ServerConnection::new(config).expect("a connection");
                            serve(StreamOwned::new(connection, stream), &*answer, &noted)
                        }
                    };
                });
            }
        });
        Self { port, asked }
    }

    /// A proxy that leads every tunnel to this port of this machine.
    pub(crate) fn proxy(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let noted = Arc::clone(&noted);
                std::thread::spawn(move || tunnel(stream, target, &noted));
            }
        });
        Self { port, asked }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().expect("no panic holds it"))
    }
}

fn read_head(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
    }
    Some(Asked { method, path, headers, body: String::new() })
}

/// One request a connection.
fn serve(
    stream: impl Read + Write,
    answer: &dyn Fn(&Asked) -> Answer,
    noted: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let Some(mut asked) = read_head(&mut reader) else { return Ok(()) };
    let length = asked.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    asked.body = String::from_utf8_lossy(&body).into_owned();
    noted.lock().expect("no panic holds it").push(asked.clone());
    let Answer { status, headers, body } = answer(&asked);
    let mut head = format!("HTTP/1.1 {status} Told\r\nconnection: close\r\n");
    headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    match &body {
        Body::Bytes(bytes) => head.push_str(&format!("content-length: {}\r\n", bytes.len())),
        Body::Spaces(count) => head.push_str(&format!("content-length: {}\r\n", count + 2)),
        Body::Endless(_) => {}
    }
    let mut stream = reader.into_inner();
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    if asked.method == "HEAD" {
        return stream.flush();
    }
    match body {
        Body::Bytes(bytes) => stream.write_all(&bytes)?,
        Body::Spaces(count) => {
            stream.write_all(b"{")?;
            let block = vec![b' '; 1 << 20];
            for part in (0..count).step_by(block.len()) {
                stream.write_all(&block[..block.len().min(count - part)])?;
            }
            stream.write_all(b"}")?;
        }
        Body::Endless(text) => {
            let block = text.repeat((1 << 20) / text.len());
            loop {
                stream.write_all(block.as_bytes())?;
            }
        }
    }
    stream.flush()
}

fn tunnel(stream: TcpStream, target: u16, noted: &Mutex<Vec<Asked>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let asked = read_head(&mut reader)?;
    let is_tunnel = asked.method == "CONNECT";
    noted.lock().expect("no panic holds it").push(asked);
    let mut near = stream;
    if !is_tunnel {
        return near.write_all(b"HTTP/1.1 403 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").ok();
    }
    let mut far = TcpStream::connect(("127.0.0.1", target)).ok()?;
    near.write_all(b"HTTP/1.1 200 Here you are\r\n\r\n").ok()?;
    let (mut back_from, mut back_to) = (far.try_clone().ok()?, near.try_clone().ok()?);
    let back = std::thread::spawn(move || {
        let _ended = std::io::copy(&mut back_from, &mut back_to);
        let _gone = back_to.shutdown(std::net::Shutdown::Both);
    });
    let _ended = std::io::copy(&mut reader, &mut far);
    let _gone = far.shutdown(std::net::Shutdown::Both);
    back.join().ok()
}

/// A file of the certificates of these tests.
pub(crate) fn certificate(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/network/certificates").join(name)
}

/// What a run left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Panics unless it ended with this code and standard error holds `text`.
    #[track_caller]
    pub(crate) fn expect(self, code: i32, text: &str) -> Self {
        assert!(self.code == Some(code) && self.stderr.contains(text), "not {code} and `{text}`: {self:#?}");
        self
    }

    /// The command that a hint gives after `lead`.
    #[track_caller]
    pub(crate) fn command(&self, lead: &str) -> String {
        let line = self.stderr.lines().find_map(|line| line.split_once(lead));
        line.unwrap_or_else(|| panic!("no `{lead}`: {self:#?}")).1.to_owned()
    }
}

/// A directory of somebody's with a backend block, and the user's own home elsewhere.
pub(crate) struct Place {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) home: tempfile::TempDir,
    pub(crate) env: BTreeMap<String, String>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let env = [
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("AWS_SESSION_TOKEN", "SESSION-CANARY"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("TF_VAR_db_password", "correct-horse-battery"),
            ("NO_COLOR", "1"),
        ];
        let temporary = || tempfile::tempdir().expect("a directory");
        let env = env.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { dir: temporary(), home: temporary(), env }
    }

    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn without(mut self, names: &[&str]) -> Self {
        self.env.retain(|name, _| !names.contains(&name.as_str()));
        self
    }

    pub(crate) fn file(self, name: &str, contents: &str) -> Self {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("made");
        std::fs::write(path, contents).expect("written");
        self
    }

    /// With a state in S3 and these further settings.
    pub(crate) fn block(self, more: &str) -> Self {
        let block = "bucket = \"b\"\n    key = \"k\"\n    region = \"us-east-1\"\n    use_lockfile = true\n    ";
        self.file("main.tf", &format!("terraform {{\n  backend \"s3\" {{\n    {block}{more}\n  }}\n}}\n"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aloka"));
        command.args(args);
        self.finish(command)
    }

    /// The same with no more than so much address space.
    pub(crate) fn run_within(&self, kilobytes: u32, args: &[&str]) -> Ran {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("ulimit -v {kilobytes} && exec \"$0\" \"$@\""));
        command.arg(env!("CARGO_BIN_EXE_aloka")).args(args);
        self.finish(command)
    }

    /// What the user does by hand.
    pub(crate) fn shell(&self, line: &str) {
        let mut command = Command::new("sh");
        command.args(["-c", line]);
        let ran = self.finish(command);
        assert_eq!(ran.code, Some(0), "{line}: {ran:#?}");
    }

    fn finish(&self, mut command: Command) -> Ran {
        command.current_dir(self.path()).env_clear().envs(&self.env).env("HOME", self.home.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
        let output = command.output().expect("it starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}
