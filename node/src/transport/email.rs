//! Hands e-mail to the region's mail server (SMTP, RFC 5321), encrypted on the way there.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use raccordo_core::secret::Secret;
use serde::Deserialize;

use super::address::HostPort;

/// How the way to the mail server is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// From a command on (RFC 3207); without it nothing is sent. Mostly port 587.
    #[default]
    Starttls,
    /// From the first byte (RFC 8314). Mostly port 465.
    Tls,
    /// Not at all: only for a server on this machine.
    None,
}

/// A mail server and this node's account there.
pub struct EmailSettings {
    /// Where it listens.
    pub server: HostPort,
    /// How the way there is encrypted.
    pub encryption: Encryption,
    /// As whom the node writes.
    pub from: String,
    /// User and password, if it asks for them.
    pub credentials: Option<(String, Secret<String>)>,
    /// Authorities of its certificate, as PEM; without them those that browsers trust.
    pub authorities: Option<Vec<u8>>,
    /// Longest time for one call.
    pub patience: Duration,
}

/// Why nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum EmailError {
    /// An address is none; it is not repeated.
    #[error("the address is none")]
    Address,
    /// The message cannot be made.
    #[error("the message cannot be made: {0}")]
    Message(#[from] lettre::error::Error),
    /// The server, or the way there.
    #[error("the mail server: {0}")]
    Server(#[from] lettre::transport::smtp::Error),
}

/// A client of one mail server.
pub struct Mailer {
    from: Mailbox,
    server: AsyncSmtpTransport<Tokio1Executor>,
}

impl Mailer {
    /// Calls nobody yet.
    ///
    /// # Errors
    /// [`EmailError`].
    pub fn new(settings: EmailSettings) -> Result<Self, EmailError> {
        let from = settings.from.parse().map_err(|_| EmailError::Address)?;
        let host = settings.server.host.as_str();
        let tls = || -> Result<TlsParameters, EmailError> {
            let mut parameters = TlsParameters::builder(host.to_owned());
            if let Some(pem) = &settings.authorities {
                parameters = parameters.add_root_certificate(Certificate::from_pem(pem)?);
            }
            Ok(parameters.build_rustls()?)
        };
        let tls = match settings.encryption {
            Encryption::Starttls => Tls::Required(tls()?),
            Encryption::Tls => Tls::Wrapper(tls()?),
            Encryption::None => Tls::None,
        };
        let mut server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(settings.server.port)
            .tls(tls)
            .timeout(Some(settings.patience));
        if let Some((user, password)) = settings.credentials {
            server = server.credentials(Credentials::new(user, password.reveal().clone()));
        }
        Ok(Self { from, server: server.build() })
    }

    /// Sends one message; the server has taken it when this returns.
    ///
    /// # Errors
    /// [`EmailError`]; whether the message went out is then unknown.
    pub async fn send(&self, to: &str, subject: &str, text: &str) -> Result<(), EmailError> {
        let to: Mailbox = to.parse().map_err(|_| EmailError::Address)?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text.to_owned())?;
        self.server.send(message).await?;
        Ok(())
    }
}
