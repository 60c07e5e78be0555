//! TLS as this agent speaks it: version 1.3 only, because both sides are ours.

use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::Credentials;

/// What makes a TLS connection of a plain one.
pub(super) fn acceptor(credentials: &Credentials) -> Result<TlsAcceptor, String> {
    let provider = Arc::new(default_provider());
    let chain = certificates("tls_certificate", &credentials.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(credentials.key.as_bytes());
    let key = key.map_err(|error| format!("tls_key: {error}"))?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_protocol_versions(&[&TLS13]).map_err(|error| error.to_string())?;
    let builder = match &credentials.ca {
        Some(ca) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots(ca)?, provider);
            let verifier = verifier.build().map_err(|error| format!("tls_ca: {error}"))?;
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let config = builder.with_single_cert(chain, key);
    let config = config.map_err(|error| format!("tls_certificate and tls_key: {error}"))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn roots(ca: &str) -> Result<Arc<RootCertStore>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("tls_ca", ca)? {
        roots.add(certificate).map_err(|error| format!("tls_ca: {error}"))?;
    }
    Ok(Arc::new(roots))
}

fn certificates(key: &str, pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match read {
        Ok(certificates) if certificates.is_empty() => {
            Err(format!("{key}: there is no certificate in it"))
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(format!("{key}: {error}")),
    }
}
