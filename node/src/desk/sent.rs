//! Forms of somebody who has signed in: no handler sees one before it is known to be of a page
//! of the same session.

use axum::Form;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use super::Desk;
use super::gate::Visitor;
use super::problem::Problem;
use crate::app::fault::Fault;

/// What the field of a form is called that shows whose it is.
const TOKEN: &str = "form";

/// A form, and who sent it.
pub(super) struct Sent<T> {
    /// Who.
    pub visitor: Visitor,
    /// What was filled in.
    pub fields: T,
}

impl<T: DeserializeOwned> FromRequest<Desk> for Sent<T> {
    type Rejection = Response;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, desk).await?;
        let words = visitor.words;
        let refused = |fault| Problem::new(words, fault).into_response();
        let pairs = Form::from_request(Request::from_parts(parts, body), desk).await;
        let Form(mut pairs): Form<Vec<(String, String)>> =
            pairs.map_err(|_| refused(unreadable()))?;
        let token = pairs.iter().find(|(name, _)| name == TOKEN).map(|(_, token)| token.as_str());
        visitor.must_be_of_form(token.unwrap_or_default()).map_err(refused)?;
        pairs.retain(|(name, _)| name != TOKEN);
        let text = serde_urlencoded::to_string(&pairs).map_err(|_| refused(unreadable()))?;
        let fields = serde_urlencoded::from_str(&text).map_err(|_| refused(unreadable()))?;
        Ok(Self { visitor, fields })
    }
}

fn unreadable() -> Fault {
    Fault::usage("bad_form", "the form cannot be read")
}
