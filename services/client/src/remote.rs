//! A daemon on another machine, spoken to over TLS 1.3.

use std::fmt;
use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// TLS over a connection.
pub(crate) type Tunnel = StreamOwned<ClientConnection, TcpStream>;

/// How the two sides know each other. All but the word are PEM (RFC 7468).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Certificates, of which one must have signed the daemon's.
    pub ca: String,
    /// The client's own certificate, with those between it and a root, and its private key, if the
    /// daemon wants one.
    pub certificate: Option<(String, String)>,
    /// The word that lets clients in, if the daemon wants one.
    pub token: Option<String>,
}

/// Secrets are not printed.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// A daemon on another machine: the section `[remote]` of its configuration.
#[derive(Clone)]
pub struct Remote {
    address: String,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
    pub(crate) token: Option<String>,
}

impl Remote {
    /// The daemon at `host:port`, before which `tcp://` may stand; its certificate must be for that
    /// host.
    ///
    /// # Errors
    /// The address or the credentials cannot be read.
    pub fn new(address: &str, credentials: &Credentials) -> io::Result<Self> {
        let wrong = |what: &str, error: &dyn fmt::Display| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("{what}: {error}"))
        };
        let address = address.strip_prefix("tcp://").unwrap_or(address).trim_end_matches('/');
        let (host, _) = address.rsplit_once(':').ok_or_else(|| wrong(address, &"no port"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|error| wrong(address, &error))?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&credentials.ca).map_err(|error| wrong("ca", &error))? {
            roots.add(certificate).map_err(|error| wrong("ca", &error))?;
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_protocol_versions(&[&TLS13]).map_err(io::Error::other)?;
        let builder = builder.with_root_certificates(roots);
        let config = match &credentials.certificate {
            Some((chain, key)) => {
                let chain = certificates(chain).map_err(|error| wrong("certificate", &error))?;
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes());
                let key = key.map_err(|error| wrong("key", &error))?;
                let config = builder.with_client_auth_cert(chain, key);
                config.map_err(|error| wrong("certificate and key", &error))?
            }
            None => builder.with_no_client_auth(),
        };
        let (config, token) = (Arc::new(config), credentials.token.clone());
        Ok(Self { address: address.to_owned(), name, config, token })
    }

    /// Connects; who is there shows with the first bytes.
    pub(crate) fn connect(&self) -> io::Result<Tunnel> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in self.address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    stream.set_write_timeout(Some(WRITING))?;
                    let config = Arc::clone(&self.config);
                    let tls = ClientConnection::new(config, self.name.clone());
                    return Ok(StreamOwned::new(tls.map_err(io::Error::other)?, stream));
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("address", &self.address).finish_non_exhaustive()
    }
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match read {
        Ok(read) if read.is_empty() => Err("there is no certificate in it".to_owned()),
        Ok(read) => Ok(read),
        Err(error) => Err(error.to_string()),
    }
}

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the other side may take no bytes.
const WRITING: Duration = Duration::from_secs(120);
