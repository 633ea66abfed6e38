//! Takes connections with TLS and passes them on without, as a server that has a certificate would.

use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// Path of a file that tests/fixtures/make_tls.sh made.
pub fn certificate(name: &str) -> String {
    format!("{}/tests/fixtures/tls/{name}.pem", env!("CARGO_MANIFEST_DIR"))
}

/// What the server wants to see.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Clients {
    Any,
    WithCertificate,
}

/// The port of a TLS server in front of the one at `port`; gone with the test process.
pub fn in_front_of(port: u16, clients: Clients) -> u16 {
    let certificates = |name: &str| -> Vec<CertificateDer> {
        CertificateDer::pem_file_iter(certificate(name)).unwrap().map(Result::unwrap).collect()
    };
    let mut authority = RootCertStore::empty();
    authority.add_parsable_certificates(certificates("authority"));
    let verifier = match clients {
        Clients::Any => WebPkiClientVerifier::no_client_auth(),
        Clients::WithCertificate => WebPkiClientVerifier::builder(Arc::new(authority)).build().unwrap(),
    };
    let key = PrivateKeyDer::from_pem_file(certificate("server")).unwrap();
    let config = ServerConfig::builder()
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificates("server"), key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let own = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                drop(tokio::spawn(async move {
                    let mut client = acceptor.accept(client).await?;
                    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
                    tokio::io::copy_bidirectional(&mut client, &mut server).await
                }));
            }
        });
    });
    own
}
