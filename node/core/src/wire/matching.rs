//! Messages of matching.

use raccordo_proto::alert::v1 as proto;

use super::{WireError, id};
use crate::id::{Digest, ObjectId};
use crate::matching::shown::{PairHalf, RegisterSize, Shown, ShownTag, TAGS_MAX, Tags};
use crate::pseudonym::token::{TOKEN_BYTES, Tag};
use crate::secret::Secret;

pub(super) fn write_tags(tags: &Tags) -> proto::Tags {
    let shown = tags.shown.iter().map(|shown| proto::ShownTags {
        receiver: shown.receiver.to_string(),
        tags: shown.tags.iter().flat_map(|shown| shown.tag.0).collect(),
        facts: shown.tags.iter().map(|shown| shown.facts).collect(),
    });
    proto::Tags {
        object_id: tags.object.as_bytes().to_vec(),
        shown: shown.collect(),
        register_size: u32::from(tags.register.exponent()),
    }
}

pub(super) fn read_tags(tags: proto::Tags) -> Result<Tags, WireError> {
    let shown = tags.shown.into_iter().map(read_shown).collect::<Result<Vec<_>, _>>()?;
    let register = u8::try_from(tags.register_size).ok().and_then(RegisterSize::of_exponent);
    let register = register.ok_or(WireError::Field("register_size"))?;
    Ok(Tags { object: id::<ObjectId>(&tags.object_id, "object_id")?, register, shown })
}

fn read_shown(shown: proto::ShownTags) -> Result<Shown, WireError> {
    let (tags, rest) = shown.tags.as_chunks::<TOKEN_BYTES>();
    if !rest.is_empty() || tags.len() > TAGS_MAX || !tags.is_sorted_by(|one, next| one < next) {
        return Err(WireError::Field("tags"));
    }
    if shown.facts.len() != tags.len() {
        return Err(WireError::Field("facts"));
    }
    let with = tags.iter().copied().map(Tag).zip(shown.facts.iter().copied());
    Ok(Shown {
        receiver: shown.receiver.parse().map_err(|_| WireError::Field("receiver"))?,
        tags: with.map(|(tag, facts)| ShownTag { tag, facts }).collect(),
    })
}

pub(super) fn write_half(half: &PairHalf) -> proto::PairHalf {
    proto::PairHalf {
        half: half.half.reveal().to_vec(),
        heard: half.heard.map_or_else(Vec::new, |heard| heard.0.to_vec()),
    }
}

pub(super) fn read_half(half: proto::PairHalf) -> Result<PairHalf, WireError> {
    let bytes: [u8; 32] = half.half.as_slice().try_into().map_err(|_| WireError::Field("half"))?;
    // Nobody has drawn it.
    if bytes == [0; 32] {
        return Err(WireError::Field("half"));
    }
    let heard = match half.heard.as_slice() {
        [] => None,
        heard => Some(id::<Digest>(heard, "heard")?),
    };
    Ok(PairHalf { half: Secret::new(bytes), heard })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(bytes: &[u8]) -> Result<Tags, WireError> {
        with_facts(bytes, bytes.len() / 16, 12)
    }

    fn with_facts(bytes: &[u8], facts: usize, register_size: u32) -> Result<Tags, WireError> {
        let (receiver, tags, facts) = ("umbria".into(), bytes.to_vec(), vec![7; facts]);
        let shown = vec![proto::ShownTags { receiver, tags, facts }];
        read_tags(proto::Tags { object_id: vec![1; 16], shown, register_size })
    }

    #[test]
    fn tags_are_whole_ascending_and_not_too_many() {
        let ascending: Vec<u8> = [[1; 16], [2; 16]].concat();
        let read = tags(&ascending).unwrap();
        let shown = |of: u8| ShownTag { tag: Tag([of; 16]), facts: 7 };
        assert_eq!(read.shown[0].tags, [shown(1), shown(2)]);
        for facts in [0, 1, 3] {
            assert_eq!(with_facts(&ascending, facts, 12), Err(WireError::Field("facts")));
        }
        assert_eq!(with_facts(&ascending, 2, 27), Err(WireError::Field("register_size")));
        assert_eq!(read_tags(write_tags(&read)), Ok(read));
        assert_eq!(tags(&[]).unwrap().shown[0].tags, []);
        let many: Vec<u8> = (0..=128_u8).flat_map(|at| [at; 16]).collect();
        for wrong in [&[1; 15][..], &[[2; 16], [1; 16]].concat(), &[1; 32], &many] {
            assert_eq!(tags(wrong), Err(WireError::Field("tags")));
        }
    }

    #[test]
    fn halves_read_what_they_write() {
        for heard in [None, Some(Digest([3; 32]))] {
            let half = PairHalf { half: Secret::new([7; 32]), heard };
            assert_eq!(read_half(write_half(&half)), Ok(half));
        }
        for wrong in [vec![7; 31], vec![7; 33], vec![0; 32]] {
            let half = proto::PairHalf { half: wrong, heard: Vec::new() };
            assert_eq!(read_half(half), Err(WireError::Field("half")));
        }
    }
}
