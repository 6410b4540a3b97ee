//! Calls that run to their end, whether or not the caller still listens.
//!
//! A server drops a call's future when its caller goes away. A use case that is dropped in
//! the middle loses nothing, but whom it would have woken after it became durable would
//! sleep on: so every call runs in a task of its own.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};
use tracing::Instrument as _;

/// Puts every call of a service into a task of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct ToTheEnd;

impl<S> Layer<S> for ToTheEnd {
    type Service = Lasting<S>;

    fn layer(&self, inner: S) -> Lasting<S> {
        Lasting(inner)
    }
}

/// A service whose calls last.
#[derive(Clone, Copy, Debug)]
pub struct Lasting<S>(S);

impl<S> Service<Request<Body>> for Lasting<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let task = tokio::spawn(self.0.call(request).in_current_span());
        Box::pin(async move {
            match task.await {
                Ok(answer) => answer,
                Err(broken) => {
                    tracing::error!(error = %broken, "a call broke off");
                    Ok(Status::internal("the call broke off here").into_http())
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Notify;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_caller_who_leaves_ends_nothing() {
        let (begun, go_on, done) = (Notify::new(), Notify::new(), Notify::new());
        let all = Arc::new((begun, go_on, done));
        let inner = Arc::clone(&all);
        let service = tower::service_fn(move |_: Request<Body>| {
            let all = Arc::clone(&inner);
            async move {
                all.0.notify_one();
                all.1.notified().await;
                all.2.notify_one();
                Ok::<_, Infallible>(Response::new(Body::empty()))
            }
        });
        let call = ToTheEnd.layer(service).oneshot(Request::new(Body::empty()));
        tokio::select! {
            _ = call => unreachable!("nobody let it go on"),
            () = all.0.notified() => {}
        }
        all.1.notify_one();
        all.2.notified().await;
    }

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        let broken = tower::service_fn(|_: Request<Body>| async {
            if true {
                panic!("broken")
            }
            Ok::<_, Infallible>(Response::new(Body::empty()))
        });
        let answer = ToTheEnd.layer(broken).oneshot(Request::new(Body::empty())).await.unwrap();
        let status = Status::from_header_map(answer.headers()).unwrap();
        assert_eq!(status.code(), tonic::Code::Internal);
    }
}
