//! Passwords, certificates, and servers that do not let everybody in.

use mongodb::bson::doc;

use crate::harness::{Folder, initsweep};
use crate::proxy::Proxy;
use crate::server::Server;
use crate::sweep;
use crate::tls::{self, Clients, certificate};

#[test]
fn a_server_with_authentication_lets_in_who_may() {
    let mut server = Server::start();
    server.add_user("ann", "s3cret/@");
    // The test server takes its time to write users down.
    std::thread::sleep(std::time::Duration::from_secs(2));
    server.kill();
    server.restart_with_authentication();
    // The test server offers this mechanism without naming it.
    let options = "authSource=admin&authMechanism=SCRAM-SHA-256&directConnection=true";
    let with = |password: &str| {
        let uri = format!("mongodb://ann:{password}@127.0.0.1:{}/lab?{options}", server.port);
        sweep(&uri, "--runs 2").in_folder(&Folder::new()).run()
    };
    with("s3cret%2F%40").succeeds();
    let refused = with("wr0ng").fails_with(4).says("refused");
    assert!(!refused.stderr.contains("wr0ng"), "{}", refused.stderr);
    let none = sweep(&server.own_database(), "--runs 2").in_folder(&Folder::new()).run().fails_with(4);
    assert!(none.stderr.contains("refused"), "{}", none.stderr);
}

#[test]
fn tls_trusts_the_given_authority_alone() {
    let server = Server::start();
    let port = tls::in_front_of(server.port, Clients::Any);
    let uri = |host: &str, more: &str| format!("mongodb://{host}:{port}/lab?directConnection=true&{more}");
    let run = |host: &str, more: &str| {
        initsweep(format!("sweep --quiet --epochs 20 --runs 2 --timeout 2 --to {}", uri(host, more)))
            .in_folder(&Folder::new())
            .run()
    };
    let (ours, strange) = (certificate("authority"), certificate("stranger"));
    run("127.0.0.1", &format!("tls=true&tlsCAFile={ours}")).succeeds();
    initsweep(format!("stats --quiet {}", uri("127.0.0.1", &format!("tls=true&tlsCAFile={ours}")))).run().succeeds();
    run("127.0.0.1", "tls=true&tlsAllowInvalidCertificates=true").succeeds();
    let untrusted = run("127.0.0.1", &format!("tls=true&tlsCAFile={strange}")).fails_with(4);
    untrusted.says(&format!("127.0.0.1:{port}")).says("certificate").says("tlsCAFile");
    // Of no authority that this machine knows.
    run("127.0.0.1", "tls=true").fails_with(4).says("certificate");
    // A name that the certificate does not have.
    run("localhost", &format!("tls=true&tlsCAFile={ours}")).fails_with(4).says("certificate");
    run("127.0.0.1", "tls=true&tlsCAFile=/nonexistent.pem").fails_with(2).says("/nonexistent.pem");
    let no_certificate = ours.replace("authority.pem", "VERSION");
    run("127.0.0.1", &format!("tls=true&tlsCAFile={no_certificate}"))
        .fails_with(4)
        .says("tlsCAFile hold the authority");
    // A client that speaks plainly to a server that wants TLS.
    run("127.0.0.1", "appName=plain").fails_with(4);
}

#[test]
fn x509_shows_the_client_s_certificate_and_asks_to_be_let_in_by_it() {
    let server = Server::start();
    let inside = Proxy::in_front_of(server.port);
    let port = tls::in_front_of(inside.port, Clients::WithCertificate);
    let ours = certificate("authority");
    let uri =
        |more: &str| format!("mongodb://127.0.0.1:{port}/lab?directConnection=true&tls=true&tlsCAFile={ours}&{more}");
    let run = |more: &str| {
        let words = format!("sweep --quiet --epochs 20 --runs 2 --timeout 2 --to {}", uri(more));
        initsweep(words).in_folder(&Folder::new()).run()
    };
    let shown = format!("tlsCertificateKeyFile={}", certificate("client"));
    run(&shown).succeeds();
    run("appName=none").fails_with(4).says(&format!("127.0.0.1:{port}"));
    // The server behind knows no such mechanism: what it would answer to a user it knows, then to one it does not.
    let x509 = format!("{shown}&authMechanism=MONGODB-X509&authSource=$external");
    inside.answer("authenticate", 0, 100, doc! { "ok": 1.0, "dbname": "$external", "user": "CN=client" });
    run(&x509).succeeds();
    let inside = Proxy::in_front_of(server.port);
    let port = tls::in_front_of(inside.port, Clients::WithCertificate);
    let uri = format!("mongodb://127.0.0.1:{port}/lab?directConnection=true&tls=true&tlsCAFile={ours}&{x509}");
    inside.answer("authenticate", 0, 100, crate::proxy::error(18, "Could not find user CN=client"));
    let refused = initsweep(format!("stats {uri}")).run().fails_with(4);
    refused.says("refused").says("MONGODB-X509");
}

#[test]
fn a_name_in_dns_is_asked_for_in_time_and_told_without_password() {
    let began = std::time::Instant::now();
    for command in ["stats", "sweep --to"] {
        let uri = "mongodb+srv://ann:s3cret@cluster.invalid/lab?retryWrites=true";
        let finished = initsweep(format!("{command} {uri} --timeout 2")).run().fails_with(4).says("cluster.invalid");
        assert!(!finished.stderr.contains("s3cret"), "{}", finished.stderr);
    }
    assert!(began.elapsed().as_secs() < 15, "{:?}", began.elapsed());
    // What such a URI cannot have.
    initsweep("stats mongodb+srv://ann:s3cret@cluster.invalid:27017/lab").run().fails_with(2);
}
