//! The identity provider as the use cases see it.

use async_trait::async_trait;
use raccordo_core::account::Person;

use crate::app::account::provider::{Begun, Pending, Provider, ProviderError};
use crate::transport::provider::{OpenIdProvider, ProviderCallError};

/// Calls over the network.
pub(super) struct Remote(pub(super) OpenIdProvider);

#[async_trait]
impl Provider for Remote {
    async fn begin(&self) -> Result<Begun, ProviderError> {
        let way = self.0.begin().await.map_err(error)?;
        let (state, nonce, verifier) = (way.state, way.nonce, way.verifier);
        Ok(Begun { address: way.address, pending: Pending { state, nonce, verifier } })
    }

    async fn finish(&self, code: &str, begun: &Pending) -> Result<Person, ProviderError> {
        let finished = self.0.finish(code, &begun.nonce, &begun.verifier).await;
        let (issuer, subject) = finished.map_err(error)?;
        Ok(Person { issuer, subject })
    }
}

fn error(cause: ProviderCallError) -> ProviderError {
    match cause {
        ProviderCallError::Away(cause) => ProviderError::Away(cause),
        ProviderCallError::Refused(cause) => ProviderError::Refused(cause),
    }
}
