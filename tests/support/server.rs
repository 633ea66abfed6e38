//! A server of its own for a test, killed at the end; documents without the program.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mongodb::Client;
use mongodb::bson::{Document, doc};
use mongodb::options::ClientOptions;
use tempfile::TempDir;

/// Longest time for a server to start or to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server for one test.
pub struct Server {
    base: String,
    pub port: u16,
    own: Option<(Child, TempDir)>,
}

impl Server {
    /// The server of the environment, or one of its own.
    pub fn given_or_started() -> Self {
        match std::env::var("INITSWEEP_TEST_MONGODB_URI") {
            Ok(base) if !base.is_empty() => Self { base, port: 0, own: None },
            _ => Self::start(),
        }
    }

    /// A server of its own on a free port, with an empty folder.
    pub fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let base = format!("mongodb://127.0.0.1:{port}/?directConnection=true");
        let own = Some((process(port, &folder, false), folder));
        let server = Self { base, port, own };
        server.await_answer();
        server
    }

    /// The URI of a database that no other test uses.
    pub fn own_database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("initsweep_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let (scheme, rest) = self.base.split_once("://").unwrap();
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let options = path.split_once('?').map_or(String::new(), |(_, options)| format!("?{options}"));
        format!("{scheme}://{hosts}/{name}{options}")
    }

    /// Kills it with no chance to tidy up.
    pub fn kill(&mut self) {
        let (child, _) = self.own.as_mut().unwrap();
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    /// Starts it again with the same port and folder.
    pub fn restart(&mut self) {
        self.restart_as(false);
        self.await_answer();
    }

    /// The same, closed to strangers.
    pub fn restart_with_authentication(&mut self) {
        self.restart_as(true);
        self.await_answer();
    }

    fn restart_as(&mut self, authentication: bool) {
        let (child, folder) = self.own.as_mut().unwrap();
        *child = process(self.port, folder, authentication);
    }

    fn await_answer(&self) {
        let began = Instant::now();
        // A greeting is answered without authentication.
        while attempt(&self.base, async |client| client.database("admin").run_command(doc! { "hello": 1 }).await)
            .is_err()
        {
            assert!(began.elapsed() < PATIENCE, "the server at {} does not start", self.base);
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Adds someone who may do everything.
    pub fn add_user(&self, name: &str, password: &str) {
        let command = doc! { "createUser": name, "pwd": password, "roles": ["root"] };
        attempt(&self.base, async |client| client.database("admin").run_command(command.clone()).await).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((child, _)) = &mut self.own {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// Starts the server under a shell that kills it when its standard input ends, so that no server outlives the test process.
fn process(port: u16, folder: &TempDir, authentication: bool) -> Child {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    let binary = BINARY.get_or_init(|| {
        let script = format!("{}/tests/support/test-server", env!("CARGO_MANIFEST_DIR"));
        let output = Command::new(&script).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "{script} found no MongoDB server and could not install one");
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
    });
    let path = folder.path().display().to_string();
    let mut arguments = vec!["--port".to_string(), port.to_string()];
    if binary.ends_with("mongod") {
        arguments
            .extend(["--bind_ip", "127.0.0.1", "--wiredTigerCacheSizeGB", "0.25", "--dbpath", &path].map(Into::into));
    } else {
        arguments.extend(["--cache-size", "256M", "--log-level", "ERROR", "--storage-path", &path].map(Into::into));
    }
    if authentication {
        arguments.push("--auth".into());
    }
    let script = r#""$0" "$@" <&- & server=$!; cat; kill -9 $server; wait $server"#;
    let mut shell = Command::new("bash");
    shell.args(["-c", script]).arg(binary).args(arguments);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Calls the server at `uri` without the program.
fn attempt<T>(uri: &str, call: impl AsyncFnOnce(Client) -> mongodb::error::Result<T>) -> mongodb::error::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut options = ClientOptions::parse(uri).await?;
        options.server_selection_timeout = Some(Duration::from_secs(2));
        call(Client::with_options(options)?).await
    })
}

/// The database that `uri` names.
pub fn database_of(uri: &str) -> String {
    uri.rsplit('/').next().unwrap().split('?').next().unwrap().to_string()
}

/// Inserts `documents` into the collection `results`.
pub fn insert(uri: &str, documents: &[Document]) {
    let database = database_of(uri);
    attempt(uri, async |client| {
        client.database(&database).collection::<Document>("results").insert_many(documents).await
    })
    .unwrap();
}

/// Removes all documents and keeps the collection.
pub fn clear(uri: &str) {
    let database = database_of(uri);
    attempt(uri, async |client| {
        client.database(&database).collection::<Document>("results").delete_many(doc! {}).await
    })
    .unwrap();
}

/// The number of documents; 0 while the server does not answer.
pub fn count(uri: &str) -> u64 {
    let database = database_of(uri);
    attempt(uri, async |client| {
        client.database(&database).collection::<Document>("results").count_documents(doc! {}).await
    })
    .unwrap_or(0)
}

/// All documents by `_id`.
pub fn all(uri: &str) -> Vec<Document> {
    let database = database_of(uri);
    attempt(uri, async |client| {
        let results = client.database(&database).collection::<Document>("results");
        let mut cursor = results.find(doc! {}).sort(doc! { "_id": 1 }).await?;
        let mut documents = Vec::new();
        while cursor.advance().await? {
            documents.push(cursor.deserialize_current()?);
        }
        Ok(documents)
    })
    .unwrap()
}
