//! Keys and tokens on the wire of the équipe's log.

use raccordo_proto::alert::v1 as proto;

use super::{WireError, from_one, id};
use crate::envelope::{KeyPlan, KeyRenewal, TokenAnswer, TokenRequest};
use crate::pseudonym::evaluation::BATCH_MAX;
use crate::pseudonym::key::{Class, Generation, KeyEpoch};

/// The largest canonical bytes that are looked at: a dealing to a thousand holders takes
/// about 1.2 MB.
const BYTES_MAX: usize = 2 << 20;

pub(super) fn write_plan(plan: &KeyPlan) -> proto::KeyPlan {
    proto::KeyPlan { plan: plan.plan.clone(), current: plan.current.clone() }
}

pub(super) fn read_plan(plan: proto::KeyPlan) -> Result<KeyPlan, WireError> {
    let current = bounded(plan.current, 0, "current")?;
    Ok(KeyPlan { plan: bounded(plan.plan, 1, "plan")?, current })
}

pub(super) fn read_act(act: proto::KeyAct) -> Result<Vec<u8>, WireError> {
    bounded(act.act, 1, "act")
}

pub(super) fn write_renewal(renewal: &KeyRenewal) -> proto::KeyRenewal {
    proto::KeyRenewal { class: renewal.class.name().to_owned(), key_epoch: renewal.key_epoch.0 }
}

pub(super) fn read_renewal(renewal: &proto::KeyRenewal) -> Result<KeyRenewal, WireError> {
    let class = Class::from_name(&renewal.class).ok_or(WireError::Field("class"))?;
    Ok(KeyRenewal { class, key_epoch: KeyEpoch(from_one(renewal.key_epoch, "key_epoch")?) })
}

pub(super) fn write_request(request: &TokenRequest) -> proto::TokenRequest {
    proto::TokenRequest {
        request_id: request.request.0.to_vec(),
        class: request.class.name().to_owned(),
        key_epoch: request.key_epoch.0,
        blinded: request.blinded.concat(),
        attempt: request.attempt,
    }
}

pub(super) fn read_request(request: proto::TokenRequest) -> Result<TokenRequest, WireError> {
    let class = Class::from_name(&request.class).ok_or(WireError::Field("class"))?;
    let (blinded, rest) = request.blinded.as_chunks();
    if !rest.is_empty() || !(1..=BATCH_MAX).contains(&blinded.len()) {
        return Err(WireError::Field("blinded"));
    }
    Ok(TokenRequest {
        request: id(&request.request_id, "request_id")?,
        class,
        key_epoch: KeyEpoch(from_one(request.key_epoch, "key_epoch")?),
        blinded: blinded.to_vec(),
        attempt: request.attempt,
    })
}

pub(super) fn write_answer(answer: &TokenAnswer) -> proto::TokenAnswer {
    proto::TokenAnswer {
        request_id: answer.request.0.to_vec(),
        generation: answer.generation.0,
        evaluation: answer.evaluation.clone(),
    }
}

pub(super) fn read_answer(answer: proto::TokenAnswer) -> Result<TokenAnswer, WireError> {
    Ok(TokenAnswer {
        request: id(&answer.request_id, "request_id")?,
        generation: Generation(from_one(answer.generation, "generation")?),
        evaluation: bounded(answer.evaluation, 1, "evaluation")?,
    })
}

fn bounded(bytes: Vec<u8>, least: usize, field: &'static str) -> Result<Vec<u8>, WireError> {
    if (least..=BYTES_MAX).contains(&bytes.len()) {
        Ok(bytes)
    } else {
        Err(WireError::Field(field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::TokenRequestId;

    fn request() -> TokenRequest {
        TokenRequest {
            request: TokenRequestId([1; 16]),
            class: Class::PersonWeak,
            key_epoch: KeyEpoch(2),
            blinded: vec![[3; 32], [4; 32]],
            attempt: 5,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(read_request(write_request(&request())), Ok(request()));
        let plan = KeyPlan { plan: vec![1], current: Vec::new() };
        assert_eq!(read_plan(write_plan(&plan)), Ok(plan));
        let answer = TokenAnswer {
            request: TokenRequestId([1; 16]),
            generation: Generation(2),
            evaluation: vec![3],
        };
        assert_eq!(read_answer(write_answer(&answer)), Ok(answer));
        assert_eq!(read_act(proto::KeyAct { act: vec![1] }), Ok(vec![1]));
    }

    #[test]
    fn what_is_out_of_bounds_is_refused() {
        let check = |change: fn(&mut proto::TokenRequest), field| {
            let mut written = write_request(&request());
            change(&mut written);
            assert_eq!(read_request(written), Err(WireError::Field(field)));
        };
        check(|it| it.class = "person".into(), "class");
        check(|it| it.blinded.clear(), "blinded");
        check(|it| it.blinded.truncate(33), "blinded");
        check(|it| it.blinded = vec![0; 32 * (BATCH_MAX + 1)], "blinded");
        check(|it| it.key_epoch = 0, "key_epoch");
        check(|it| it.request_id.truncate(15), "request_id");
        assert_eq!(read_act(proto::KeyAct { act: Vec::new() }), Err(WireError::Field("act")));
        assert!(read_act(proto::KeyAct { act: vec![0; BYTES_MAX + 1] }).is_err());
    }
}
